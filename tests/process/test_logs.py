"""Lines of logs: one for each event, for people or for machines, with the request that they belong to."""

import json
import logging

import pytest

from services.process.logs import REQUEST_ID, LogSettings, begin_log


@pytest.fixture(autouse=True)
def _restored():
    root = logging.getLogger()
    before = root.handlers[:], root.level
    yield
    root.handlers[:], root.level = before[0], before[1]
    logging.getLogger("services").setLevel(logging.NOTSET)


def logged(form: str, capsys: pytest.CaptureFixture[str]) -> str:
    begin_log("relay", LogSettings(form=form))
    REQUEST_ID.set("call-7")
    try:
        logging.getLogger("httpx").info("no news")
        logging.getLogger("services.somewhere").info("the stream of log %s is filled", 0)
        try:
            {}["lost"]
        except KeyError:
            logging.getLogger("services.somewhere").exception("a bug")
    finally:
        REQUEST_ID.set("")
    return capsys.readouterr().err


def test_a_line_for_machines(capsys: pytest.CaptureFixture[str]):
    first, second = map(json.loads, logged("json", capsys).splitlines())
    assert first.pop("time").endswith("Z")
    assert first == {
        "level": "info", "part": "relay", "request_id": "call-7",
        "logger": "services.somewhere", "message": "the stream of log 0 is filled",
    }  # fmt: skip
    assert (second["level"], second["message"]) == ("error", "a bug")
    assert second["traceback"].endswith("KeyError: 'lost'")


def test_a_line_for_people(capsys: pytest.CaptureFixture[str]):
    first, *traceback = logged("text", capsys).splitlines()
    assert first.endswith("Z INFO relay request call-7: the stream of log 0 is filled")
    assert traceback[-1] == "KeyError: 'lost'"
