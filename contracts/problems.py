"""Refusals and failures as callers see them: RFC 9457 problem details."""

from pydantic import BaseModel, ConfigDict

PROBLEM_TYPE_PREFIX = "urn:hourbook:problem:"
PROBLEM_MEDIA_TYPE = "application/problem+json"

STATUS_BY_SLUG: dict[str, int] = {
    "account-not-found": 404,
    "task-not-found": 404,
    "not-found": 404,
    "method-not-allowed": 405,
    "account-already-open": 409,
    "package-already-purchased": 409,
    "task-already-closed": 409,
    "task-not-closed": 409,
    "task-already-warranty": 409,
    "balance-not-negative": 409,
    "already-suspended": 409,
    "not-suspended": 409,
    "month-already-closed": 409,
    "month-not-closed": 409,
    "body-too-large": 413,
    "invalid-request": 422,
    "unknown-plan": 422,
    "payment-exceeds-debt": 422,
    "month-not-over": 422,
    "idempotency-key-reused": 422,
    "effective-in-future": 422,
    "worked-time-not-in-quantum": 422,
    "task-not-confirmed": 422,
    "confirmed-before-closed": 422,
    "started-after-closed": 422,
    "urgency-not-agreed-before-start": 422,
    "off-hours-not-requested-before-start": 422,
    "time-entries-do-not-add-up": 422,
    "work-was-in-working-hours": 422,
    "clock-moves-forward-only": 422,
    "checkpoint-behind": 503,
    "projection-behind": 503,
    "ledger-unavailable": 503,
    "projections-unavailable": 503,
}
"""Every slug a caller can meet, and its HTTP status."""


class InvalidField(BaseModel):
    """One field that does not fit, and what would."""

    model_config = ConfigDict(frozen=True)

    field: str
    remedy: str


class Problem(BaseModel):
    """RFC 9457 problem details; `type` ends in the slug."""

    model_config = ConfigDict(frozen=True)

    type: str
    title: str
    status: int
    detail: str
    fields: tuple[InvalidField, ...] = ()


def problem(slug: str, title: str, detail: str, fields: tuple[InvalidField, ...] = ()) -> Problem:
    """The problem of that slug; KeyError for a slug that is not published."""
    return Problem(
        type=PROBLEM_TYPE_PREFIX + slug,
        title=title,
        status=STATUS_BY_SLUG[slug],
        detail=detail,
        fields=fields,
    )
