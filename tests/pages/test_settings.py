"""What is wrong with the settings of the pages is said before anything starts."""

import pytest

from services.operating.start_conditions import door_settings
from services.process.operator_error import OperatorError

CLIENT = {
    "HOURBOOK_OIDC_CLIENT_ID": "pages", "HOURBOOK_OIDC_ISSUER": "https://issuer.example",
    "HOURBOOK_OIDC_AUDIENCE": "hourbook",
}  # fmt: skip


@pytest.mark.parametrize(
    ("given", "wrong"),
    [
        ({"HOURBOOK_OIDC_CLIENT_ID": "pages"}, "HOURBOOK_OIDC_ISSUER"),
        (
            {"HOURBOOK_OIDC_CLIENT_ID": "pages", "HOURBOOK_OIDC_ISSUER": "https://issuer.example"},
            "HOURBOOK_OIDC_AUDIENCE",
        ),
        ({"HOURBOOK_OIDC_CLIENT_SECRET_FILE": "/nowhere"}, "HOURBOOK_OIDC_CLIENT_ID is missing"),
        (
            CLIENT | {"HOURBOOK_OIDC_CLIENT_SECRET_FILE": "/nowhere"},
            "HOURBOOK_OIDC_CLIENT_SECRET_FILE, /nowhere: it cannot be read",
        ),
    ],
)
def test_a_client_that_nobody_could_log_in_by_is_said_before_the_start(given: dict[str, str], wrong: str):
    with pytest.raises(OperatorError, match=wrong):
        door_settings(given)


def test_a_public_client_has_no_secret():
    assert door_settings(CLIENT)
