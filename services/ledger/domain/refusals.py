"""Why a command can be refused: the name is the slug of a published problem, whose title and remedy it has."""

import re
from typing import ClassVar

from contracts.problem_types import CATALOGUE, ProblemType


class Refusal(Exception):
    """The command was refused; `field` is what the refusal is about."""

    field: str
    kind: ClassVar[ProblemType]

    def __init_subclass__(cls) -> None:
        """KeyError for a refusal that the catalogue of problems does not have."""
        cls.kind = CATALOGUE[re.sub(r"(?<!^)(?=[A-Z])", "-", cls.__name__).lower()]
        cls.__doc__ = cls.kind.title

    def __init__(self, given: object = None, field: str | None = None, remedy: str | None = None) -> None:
        super().__init__(given)
        self.given = given
        self.field = field or type(self).field
        self.remedy = remedy or self.kind.remedy

    def __str__(self) -> str:
        given = "" if self.given is None else f" ({self.given})"
        return f"{self.field}{given}: {self.kind.title} {self.remedy}"


class AccountNotFound(Refusal):
    field = "account_id"


class AccountAlreadyOpen(Refusal):
    field = "account_id"


class IdempotencyKeyReused(Refusal):
    field = "Idempotency-Key"


class InvalidRequest(Refusal):
    field = "command"


class UnknownPlan(Refusal):
    field = "plan"


class PackageAlreadyPurchased(Refusal):
    field = "package_id"


class PackageNotFound(Refusal):
    field = "package_id"


class NothingToRefund(Refusal):
    field = "package_id"


class RefundExceedsPrice(Refusal):
    field = "amount_kopecks"


class EffectiveInFuture(Refusal):
    field = "effective_at"


class WorkedTimeNotInQuantum(Refusal):
    field = "worked_minutes"


class TaskNotConfirmed(Refusal):
    field = "confirmed_at"


class ConfirmedBeforeClosed(Refusal):
    field = "confirmed_at"


class StartedAfterClosed(Refusal):
    field = "started_at"


class UrgencyNotAgreedBeforeStart(Refusal):
    field = "urgency_agreed_at"


class OffHoursNotRequestedBeforeStart(Refusal):
    field = "off_hours_requested_at"


class SpecificationNotAgreed(Refusal):
    field = "package_use_agreed_at"


class TimeEntriesDoNotAddUp(Refusal):
    field = "time_entries"


class EvidenceDoesNotAddUp(Refusal):
    field = "evidence"


class WorkWasInWorkingHours(Refusal):
    field = "time_entries"


class TaskAlreadyClosed(Refusal):
    field = "task_id"


class TaskNotClosed(Refusal):
    field = "task_id"


class TaskAlreadyWarranty(Refusal):
    field = "task_id"


class TaskNotPlanned(Refusal):
    field = "task_id"


class PaymentExceedsDebt(Refusal):
    field = "minutes"


class AlreadySuspended(Refusal):
    field = "account_id"


class BalanceNotNegative(Refusal):
    field = "account_id"


class NotSuspended(Refusal):
    field = "account_id"


class MonthNotOver(Refusal):
    field = "month"


class MonthAlreadyClosed(Refusal):
    field = "month"


class MonthNotClosed(Refusal):
    field = "month"
