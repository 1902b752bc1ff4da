"""What Schemathesis has to know of Hourbook: which 503 is an answer, and which question has no end."""

import schemathesis

LATER = ("projection-behind", "checkpoint-behind")
"""A position that may yet come, and a proof that is not made yet: to be asked again."""


@schemathesis.check
def no_failure(ctx, response, case) -> None:
    """No 5xx but those that say: ask again."""
    if response.status_code >= 500 and not response.json()["type"].endswith(LATER):
        raise AssertionError(response.text)


@schemathesis.hook
def filter_query(context, query) -> bool:
    """A log that is followed never ends."""
    return not (query and "follow" in query)


@schemathesis.hook
def before_call(context, case, kwargs) -> None:
    """Nobody waits for a position that never comes."""
    headers = case.headers or {}
    if str(headers.get("Hourbook-Min-Position", "")).isdecimal():
        headers["Hourbook-Min-Position"] = "1"
