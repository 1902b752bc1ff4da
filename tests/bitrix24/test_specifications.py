"""What the connector asks and what the fake portal answers is held to the vendor's specifications."""

import pytest

from tests.bitrix24.specifications import AT_HAND, unlike_answer, unlike_request

pytestmark = pytest.mark.skipif(not AT_HAND, reason="the portal's specifications are not at hand")


@pytest.mark.parametrize(
    ("method", "params", "misfit"),
    [
        ("tasks.task.list", {"FILTER": {}}, "unknown parameter FILTER"),
        ("tasks.task.list", {"filter": []}, "filter is list, not object"),
        ("tasks.task.list", {"filter": {">=CHANGED": "2026-03-02"}}, "filter has no >=CHANGED"),
        ("tasks.task.history.list", {}, "taskId is missing"),
        ("task.elapseditem.getlist", {"ORDER": {}, "TASKID": 1}, "another order"),
        ("task.elapseditem.getlist", {"TASKID": 1, "ORDER": {"id": "asc"}}, "ORDER has no id"),
    ],
)
def test_a_request_that_the_vendor_does_not_describe_is_named(method, params, misfit):
    assert [each for each in unlike_request(method, params) if misfit in each]


@pytest.mark.parametrize(
    ("method", "result", "misfit"),
    [
        ("tasks.task.list", {"tasks": [{"id": 8017}]}, "id is 8017"),
        ("tasks.task.list", {"tasks": [{"GROUP_ID": "3"}]}, "no GROUP_ID"),
        ("task.elapseditem.getlist", [{"SECONDS": 3600}], "SECONDS is 3600"),
        ("user.get", [{"NICKNAME": "x"}], "no NICKNAME"),
    ],
)
def test_an_answer_that_the_vendor_does_not_describe_is_named(method, result, misfit):
    assert [each for each in unlike_answer(method, result) if misfit in each]
