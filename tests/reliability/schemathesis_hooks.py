"""What Schemathesis has to know of Hourbook: who asks, what that caller may not, and which question has no end."""

import json
import os
import random

import schemathesis

CREDENTIAL = os.environ["HOURBOOK_CREDENTIAL"]
FORBIDDEN = frozenset(json.loads(os.environ["HOURBOOK_FORBIDDEN"]))
"""The routes whose right the caller has not."""

OWN = json.loads(os.environ["HOURBOOK_OWN"])
"""The accounts that the caller has; None where it has all of them."""

PLAYED = json.loads(os.environ["HOURBOOK_PLAYED"])
"""What there is to ask for, by the names of parameters in paths."""

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
    if response.status_code >= 300:
        return
    if route in FORBIDDEN:
        raise AssertionError(f"{route} answered {response.status_code} to a caller without its right")
    account = (case.path_parameters or {}).get("account_id")
    if OWN is not None and account is not None and account not in OWN:
        raise AssertionError(f"{route} answered {response.status_code} about {account}, which is not the caller's")


@schemathesis.hook
def filter_query(context, query) -> bool:
    """A log that is followed never ends."""
    return not (query and "follow" in query)


@schemathesis.hook
def before_call(context, case, kwargs) -> None:
    """The caller shows its key, asks mostly for what there is, and waits for no position that never comes."""
    parameters = case.path_parameters or {}
    dice = random.Random(repr(parameters))  # so that a case that is tried again is the same
    for name in parameters.keys() & PLAYED.keys():
        if dice.random() < 2 / 3:
            parameters[name] = dice.choice(PLAYED[name])
    headers = case.headers = case.headers or {}
    headers.pop("Authorization", None)
    if CREDENTIAL:
        headers["Authorization"] = f"Bearer {CREDENTIAL}"
    if str(headers.get("Hourbook-Min-Position", "")).isdecimal():
        headers["Hourbook-Min-Position"] = "1"


@schemathesis.serializer("application/x-ndjson")
def lines(context, value):
    """Of commands: as bytes, or a text of one."""
    return value if isinstance(value, bytes) else str(value).encode()
