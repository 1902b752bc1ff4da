"""From rows to commands and lists of recipients, and what is wrong with them before anybody is asked."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from hashlib import sha256
from typing import Any, NamedTuple

import orjson
from pydantic import ValidationError

from contracts.commands import COMMAND
from contracts.sending import RecipientsBody
from services.onboarding.rows import Fault, Reading, Row
from services.onboarding.sheets import CUSTOMERS, PACKAGES, RECIPIENTS, TASKS

COMMANDS = {CUSTOMERS.name: "OpenAccount", PACKAGES.name: "PurchasePackage", TASKS.name: "CloseTask"}
IDS = {CUSTOMERS.name: "account_id", PACKAGES.name: "package_id", TASKS.name: "task_id"}
REASONS = {"Код пакета": "остаток пакета, проданного до начала учёта", "": "what is left of a package sold before"}
"""Why a size or price was agreed, where the row does not say; in Russian under the Russian heading."""


class Deed(NamedTuple):
    """A command, and the row it comes from."""

    row: Row
    command: Mapping[str, Any]

    @property
    def account_id(self) -> str:
        return self.command["account_id"]

    @property
    def line(self) -> bytes:
        """The command as a line of NDJSON, under a key that follows from it: to send it again changes nothing."""
        digest = sha256(orjson.dumps(self.command, option=orjson.OPT_SORT_KEYS)).hexdigest()
        return orjson.dumps({**self.command, "idempotency_key": f"onboard-{digest[:48]}"})


class Named(NamedTuple):
    """A list of recipients, and the first row it comes from."""

    row: Row
    account_id: str
    body: RecipientsBody


class Judged(NamedTuple):
    """What a book comes to. `deeds`: account by account, each in order of effect."""

    deeds: Sequence[Deed]
    named: Sequence[Named]
    faults: Sequence[Fault]


def judged(reading: Reading) -> Judged:
    """Every row as a command that fits in itself, or as a fault."""
    faults = [*reading.faults, *_doubled(reading)]
    deeds: list[Deed] = []
    for sheet, command in COMMANDS.items():
        for row in reading.rows[sheet]:
            made = _command(command, row)
            wrong = list(_misfits(made, row))
            faults += wrong
            deeds += [] if wrong else [Deed(row, made)]
    named: list[Named] = []
    for found in _named(reading):
        if isinstance(found, Fault):
            faults.append(found)
        else:
            named.append(found)
    return Judged(_in_order(deeds), named, sorted(faults, key=lambda each: (each.sheet, each.row or 0)))


def _command(command: str, row: Row) -> dict[str, Any]:
    """What is not filled in is left out, but for what has a usual value here."""
    values = dict(row.values)
    if command == "CloseTask":
        values.setdefault("category", "regular")
    if any(name.startswith("agreed.") for name in values):
        values.setdefault("agreed.reason", REASONS.get(row.headings.get("package_id", ""), REASONS[""]))
    body: dict[str, Any] = {"command": command}
    for name, value in values.items():
        outer, _, inner = name.rpartition(".")
        place = body.setdefault(outer, {}) if outer else body
        place[inner] = value
    return body


def _misfits(command: Mapping[str, Any], row: Row) -> Iterator[Fault]:
    try:
        COMMAND.validate_python(command)
    except ValidationError as misfit:
        for error in misfit.errors():
            column = ".".join(map(str, error["loc"][1:]))
            yield row.fault(column, error["msg"].removeprefix("Value error, "))


def _doubled(reading: Reading) -> Iterator[Fault]:
    for sheet, name in IDS.items():
        first: dict[tuple[Any, Any], int] = {}
        for row in reading.rows[sheet]:
            of = row.values["account_id"], row.values[name]
            if of in first:
                yield row.fault(name, f"row {first[of]} has the same: give each its own")
            first.setdefault(of, row.number)


def _named(reading: Reading) -> Iterator[Named | Fault]:
    """The recipients of an account from the same day on are one list."""
    since = {row.values["account_id"]: row.values["contract_date"] for row in reading.rows[CUSTOMERS.name]}
    lists: dict[tuple[str, str], list[Row]] = defaultdict(list)
    for row in reading.rows[RECIPIENTS.name]:
        account_id = row.values["account_id"]
        day = row.values.get("effective_on") or since.get(account_id)
        if day is None:
            yield row.fault(
                "effective_on", "name the day: the customer is not in this book, which would have the contract's"
            )
        else:
            lists[account_id, day].append(row)
    for (account_id, day), rows in lists.items():
        yield from _list(account_id, day, rows)


def _list(account_id: str, day: str, rows: Sequence[Row]) -> Iterator[Named | Fault]:
    of_recipient = ("address", "kinds", "lang")
    recipients = [{name: row.values[name] for name in of_recipient if name in row.values} for row in rows]
    try:
        yield Named(rows[0], account_id, RecipientsBody.model_validate({"effective_on": day, "recipients": recipients}))
    except ValidationError as misfit:
        for error in misfit.errors():
            place = error["loc"]
            row = rows[place[1]] if len(place) > 1 and isinstance(place[1], int) else rows[-1]
            column = str(place[2]) if len(place) > 2 else "effective_on" if place[0] == "effective_on" else "address"
            yield row.fault(column, error["msg"].removeprefix("Value error, "))


def _in_order(deeds: Iterable[Deed]) -> list[Deed]:
    """Account by account, each opened first, then by when it counts: the order in which it would have been recorded."""
    of_account: dict[str, list[Deed]] = defaultdict(list)
    for deed in deeds:
        of_account[deed.account_id].append(deed)
    return [deed for found in of_account.values() for deed in sorted(found, key=_effect)]


def _effect(deed: Deed) -> tuple[int, str, int]:
    """Moments are written alike, so that their texts are in their order; a purchase comes before work of its moment."""
    command = deed.command
    if "purchased_at" in command:
        return 1, command["purchased_at"], 0
    if "closed_at" in command:
        return 1, max(command["closed_at"], command["confirmed_at"]), 1
    return 0, "", 0
