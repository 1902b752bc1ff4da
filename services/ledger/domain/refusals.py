"""Why a command can be refused. The name is the slug, the docstring the title; each names a field and its remedy."""

import re
from typing import ClassVar


class Refusal(Exception):
    """The command was refused."""

    field: str
    remedy: ClassVar[str]

    def __init__(self, given: object = None, field: str | None = None) -> None:
        super().__init__(given)
        self.given = given
        self.field = field or type(self).field

    @property
    def slug(self) -> str:
        """The name in the rulebook, such as `task-already-closed`."""
        return re.sub(r"(?<!^)(?=[A-Z])", "-", type(self).__name__).lower()

    @property
    def title(self) -> str:
        """What is wrong, in one sentence."""
        return (type(self).__doc__ or "").strip().splitlines()[0]

    def __str__(self) -> str:
        given = "" if self.given is None else f" ({self.given})"
        return f"{self.field}{given}: {self.title} {self.remedy}"


class AccountNotFound(Refusal):
    """There is no such account."""

    field = "account_id"
    remedy = "Open the account first, or check its id."


class AccountAlreadyOpen(Refusal):
    """This account is open already."""

    field = "account_id"
    remedy = "Use the account as it is, or choose another id."


class IdempotencyKeyReused(Refusal):
    """This idempotency key was used with another command."""

    field = "Idempotency-Key"
    remedy = "Give every command a key of its own; repeat a key only with the very same command."


class UnknownPlan(Refusal):
    """No plan of that name was in force at the purchase."""

    field = "plan"
    remedy = "Choose one of the plans in GET /v1/terms."


class PackageAlreadyPurchased(Refusal):
    """A package with this id was bought already."""

    field = "package_id"
    remedy = "Give the new package an id of its own."


class EffectiveInFuture(Refusal):
    """This lies more than 5 minutes in the future."""

    field = "effective_at"
    remedy = "Record what has happened, once it has; check the sender's clock."


class WorkedTimeNotInQuantum(Refusal):
    """Worked time is a positive multiple of the quantum, 10 minutes."""

    field = "worked_minutes"
    remedy = "Round the worked time to whole quanta before closing the task."


class TaskNotConfirmed(Refusal):
    """The customer has not confirmed this task."""

    field = "confirmed_at"
    remedy = "Close the task here once the customer has confirmed it, and say when."


class ConfirmedBeforeClosed(Refusal):
    """The task was confirmed before it was closed."""

    field = "confirmed_at"
    remedy = "Give the confirmation that followed the closing."


class StartedAfterClosed(Refusal):
    """The work started after the task was closed."""

    field = "started_at"
    remedy = "Give a start that is not after closed_at."


class UrgencyNotAgreedBeforeStart(Refusal):
    """Urgent work needs the customer's agreement before it starts."""

    field = "urgency_agreed_at"
    remedy = "Give started_at and an urgency_agreed_at not after it, or close the task in another category."


class OffHoursNotRequestedBeforeStart(Refusal):
    """Work outside working hours needs the customer's request before it starts."""

    field = "off_hours_requested_at"
    remedy = "Give started_at and an off_hours_requested_at not after it, or close the task in another category."


class TimeEntriesDoNotAddUp(Refusal):
    """The time entries do not add up to the worked time."""

    field = "time_entries"
    remedy = "Correct the entries or worked_minutes so that they agree."


class WorkWasInWorkingHours(Refusal):
    """A time entry of off-hours work lies in working hours, 9:00 to 18:00 Moscow time of a working day."""

    field = "time_entries"
    remedy = "Close that work as a task of another category."


class TaskAlreadyClosed(Refusal):
    """This task is already closed."""

    field = "task_id"
    remedy = "Reopen it first if it is to be closed anew."


class TaskNotClosed(Refusal):
    """This task is not closed."""

    field = "task_id"
    remedy = "Only a closed task can be reopened; check the id."


class TaskAlreadyWarranty(Refusal):
    """This task is marked as warranty already."""

    field = "task_id"
    remedy = "Nothing is left to do: its closings cost nothing."


class PaymentExceedsDebt(Refusal):
    """More minutes are paid than are owed."""

    field = "minutes"
    remedy = "Pay at most owed_minutes of the balance."


class AlreadySuspended(Refusal):
    """Work is suspended already."""

    field = "account_id"
    remedy = "Nothing is left to do."


class BalanceNotNegative(Refusal):
    """Work can be suspended only while the balance is negative."""

    field = "account_id"
    remedy = "Suspend when the customer owes hours."


class NotSuspended(Refusal):
    """Work is not suspended."""

    field = "account_id"
    remedy = "Nothing is left to do."


class MonthNotOver(Refusal):
    """This month is not over."""

    field = "month"
    remedy = "Close it once it has ended in Moscow time."


class MonthAlreadyClosed(Refusal):
    """This month is closed already."""

    field = "month"
    remedy = "Close a later month; what takes effect in this one is booked as a correction."


class MonthNotClosed(Refusal):
    """Only the month closed last can be reopened."""

    field = "month"
    remedy = "Reopen the last closed month."
