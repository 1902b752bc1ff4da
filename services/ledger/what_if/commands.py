"""The commands of a history, made again of the events that they led to."""

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from itertools import groupby
from typing import NamedTuple, TypeVar

from pydantic import BaseModel

from contracts.commands import (
    CloseMonth,
    CloseTask,
    Command,
    CorrectTask,
    MarkWarranty,
    OpenAccount,
    PayDebt,
    PurchasePackage,
    RefundPackage,
    ReopenMonth,
    ReopenTask,
    ResumeWork,
    SuspendWork,
)
from contracts.envelope import RecordedEvent
from contracts.events import (
    AccountOpened,
    DebtPaid,
    Event,
    MonthClosed,
    MonthReopened,
    PackagePurchased,
    PackageRefunded,
    TaskClosed,
    TaskCorrected,
    TaskReopened,
    WarrantyMarked,
    WorkResumed,
    WorkSuspended,
)

Of = TypeVar("Of", bound=BaseModel)


class Given(NamedTuple):
    """A command, and when it was given."""

    at: datetime
    command: Command


def commands_of(account_id: str, recorded: Iterable[RecordedEvent]) -> Iterator[Given]:
    """In their order; those that move no hours and no money are left out, and so is what happens by itself."""
    for _, of_one in groupby(recorded, key=lambda line: line.command_id or line.event_id):
        lines = list(of_one)
        found = [command for line in lines if (command := command_of(account_id, line.event()))]
        corrections = [command for command in found if isinstance(command, CorrectTask)]
        for command in corrections or found:  # a correction may take its closing back by an event of its own
            yield Given(lines[0].recorded_at, command)


COMMANDS: Mapping[type[Event], type[Command]] = {
    AccountOpened: OpenAccount,
    TaskClosed: CloseTask,
    TaskCorrected: CorrectTask,
    WarrantyMarked: MarkWarranty,
    TaskReopened: ReopenTask,
    DebtPaid: PayDebt,
    WorkSuspended: SuspendWork,
    WorkResumed: ResumeWork,
    MonthClosed: CloseMonth,
    MonthReopened: ReopenMonth,
}
"""Of which command an event is the fact, where its fields are the command's."""


def command_of(account_id: str, event: Event) -> Command | None:
    """The command that an event is the fact of; None where it is none's, or one without hours and money."""
    match event:
        case PackagePurchased():
            return _like(PurchasePackage, event, account_id, purchased_at=event.effective_at)
        case PackageRefunded():
            amount = event.refunded_kopecks if event.retained_kopecks else None
            return _like(RefundPackage, event, account_id, package_id=event.lot_id, amount_kopecks=amount)
        case WorkResumed() if event.automatic:
            return None
        case _:
            kind = COMMANDS.get(type(event))
            return _like(kind, event, account_id) if kind else None


def _like(kind: type[Of], event: Event, account_id: str, **more: object) -> Of:
    """The command with the event's fields of the same names: it was valid when it was recorded."""
    named = {name: getattr(event, name) for name in kind.model_fields if name in type(event).model_fields}
    return kind.model_construct(**{**named, "account_id": account_id, **more})
