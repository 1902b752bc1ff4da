"""Alerts as queries, streams and webhooks tell of them (rule 13). Minutes and kopecks are whole numbers."""

from typing import Literal
from uuid import UUID

from contracts.quantities import AccountId, Instant, Kopecks, Minutes, SignedMinutes
from contracts.read_models import ReadModel

AlertKind = Literal["debt", "low_balance", "overplanned", "expiring", "suspended"]


class AlertDetails(ReadModel):
    """What an alert is about; each kind fills its own fields.

    Debt: `balance_minutes`. Low balance: also `threshold_minutes`. Overplanned: also `planned_minutes` and
    `available_minutes`, which is below zero. Expiring: `minutes_at_risk`, their money, and
    `ends_at`, when the first of them will be gone. Suspended: `reason`. A closed alert keeps what it said last;
    a low balance or an overplanned one that became debt says the balance below zero.
    """

    balance_minutes: SignedMinutes | None = None
    threshold_minutes: SignedMinutes | None = None
    planned_minutes: Minutes | None = None
    available_minutes: SignedMinutes | None = None
    minutes_at_risk: Minutes | None = None
    amount_kopecks_at_risk: Kopecks | None = None
    ends_at: Instant | None = None
    reason: str | None = None


class AlertText(ReadModel):
    """The alert in one sentence."""

    ru: str
    en: str


class Alert(ReadModel):
    """One episode of a condition on an account: it opens once, may be updated, and closes (rule 13).

    `episode` counts the account's episodes of the kind from 1. `position` is the last event it rests on; times are when
    the condition came and went as the log knew it. An open alert has no `closed_at`.
    """

    account_id: AccountId
    customer_name: str
    kind: AlertKind
    episode: int
    opened_at: Instant
    updated_at: Instant
    closed_at: Instant | None
    position: int
    details: AlertDetails
    text: AlertText


class AlertPage(ReadModel):
    """A page of alerts, the newest first; `last_change` is where a stream goes on that shall miss nothing after it."""

    alerts: tuple[Alert, ...]
    last_change: int
    next_cursor: str | None


class AlertChange(ReadModel):
    """An alert was opened, updated or closed: what streams and webhooks tell, each change once.

    `number` counts all changes from 1 without gaps, in the order in which they were committed.
    """

    id: UUID
    number: int
    type: Literal["alert.opened", "alert.updated", "alert.closed"]
    timestamp: Instant
    data: Alert


class ForeseenAlert(ReadModel):
    """An alert that a command would open, update or close, and what it would say."""

    kind: AlertKind
    type: Literal["alert.opened", "alert.updated", "alert.closed"]
    text: AlertText


class ForeseenAlerts(ReadModel):
    """What a command would change of an account's alerts, in the order of its events; nothing is kept of it."""

    account_id: AccountId
    alerts: tuple[ForeseenAlert, ...]


class AlertDelivery(ReadModel):
    """A change on its way to a webhook: delivered, given up, or to be tried again at `next_attempt_at`."""

    endpoint: str
    number: int
    account_id: AccountId
    kind: AlertKind
    episode: int
    type: Literal["alert.opened", "alert.closed"]
    attempts: int
    last_status: int | None
    last_error: str | None
    next_attempt_at: Instant | None
    delivered_at: Instant | None
    given_up_at: Instant | None


class AlertDeliveryPage(ReadModel):
    """A page of deliveries, the newest first."""

    deliveries: tuple[AlertDelivery, ...]
    next_cursor: str | None
