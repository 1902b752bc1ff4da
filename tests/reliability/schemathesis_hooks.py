"""What Schemathesis has to know of Hourbook: who asks, what that caller may not, and which question has no end."""

import json
import os

import schemathesis

CREDENTIAL = os.environ["HOURBOOK_CREDENTIAL"]
FORBIDDEN = frozenset(json.loads(os.environ["HOURBOOK_FORBIDDEN"]))
"""The routes whose right the caller has not."""

LATER = ("projection-behind", "checkpoint-behind")
"""A position that may yet come, and a proof that is not made yet: to be asked again."""


@schemathesis.check
def no_failure(ctx, response, case) -> None:
    """No 5xx but those that say: ask again."""
    if response.status_code >= 500 and not response.json()["type"].endswith(LATER):
        raise AssertionError(response.text)


@schemathesis.check
def no_trespass(ctx, response, case) -> None:
    """No route answers 2xx to a caller without its right."""
    route = f"{case.method.upper()} {case.operation.path}"
    if route in FORBIDDEN and response.status_code < 300:
        raise AssertionError(f"{route} answered {response.status_code} to a caller without its right")


@schemathesis.hook
def filter_query(context, query) -> bool:
    """A log that is followed never ends."""
    return not (query and "follow" in query)


@schemathesis.hook
def before_call(context, case, kwargs) -> None:
    """The caller shows its key, and nobody waits for a position that never comes."""
    headers = case.headers = case.headers or {}
    headers.pop("Authorization", None)
    if CREDENTIAL:
        headers["Authorization"] = f"Bearer {CREDENTIAL}"
    if str(headers.get("Hourbook-Min-Position", "")).isdecimal():
        headers["Hourbook-Min-Position"] = "1"
