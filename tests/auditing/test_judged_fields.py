"""Every field of every event is judged: another value of it is found, unless only people know what is right."""

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any

from contracts.events import EVENT_TYPES
from services.auditing.handed_out import verify
from tests.auditing.paper_log import Paper, Row
from tests.auditing.tempting_histories import ACCOUNT_ID, changing_terms
from tests.auditing.test_mutants import histories

TERMS = verify.Terms(json.loads(changing_terms()))
Path = tuple[str | int, ...]

LENGTH = "its length"
VARIANTS = 3
TRIED = 24
"""So many changes of a field at most, each in another event, until one is found."""

KNOWN_TO_PEOPLE = {
    ("AccountOpened", "contract_date"),
    ("AccountOpened", "contract_number"),
    ("AccountOpened", "customer_name"),
    ("CustomerChanged", "contract_number"),
    ("CustomerChanged", "customer_name"),
    ("DebtPaid", "payment_reference"),
    ("MonthReopened", "reason"),
    ("PackagePurchased", "agreed.reason"),
    ("PackageRefunded", "reason"),
    ("PackageRefunded", "refund_reference"),
    ("PlanDropped", "reason"),
    ("TaskClosed", "evidence.entries_hash"),
    ("TaskClosed", "evidence.source"),
    ("TaskClosed", "time_entries.performer"),
    ("TaskClosed", "time_entries.start"),
    ("TaskClosed", "title"),
    ("TaskCorrected", "evidence.entries_hash"),
    ("TaskCorrected", "evidence.source"),
    ("TaskCorrected", "reason"),
    ("TaskCorrected", "title"),
    ("TaskPlanned", "title"),
    ("TaskReopened", "reason"),
    ("WarrantyMarked", "reason"),
    ("WorkResumed", "reason"),
    ("WorkSuspended", "reason"),
}
"""Words, what only its source can judge, and when time was worked, which only a production calendar judges."""


def fields(value: Any, path: Path = ()) -> Iterator[Path]:
    """The ways to all that stands in it; of a list, its first part and its length."""
    match value:
        case dict():
            for name, within in value.items():
                yield from fields(within, (*path, name))
        case list():
            yield (*path, LENGTH)
            for within in value[:1]:
                yield from fields(within, (*path, 0))
        case None:
            pass
        case _:
            yield path


def other(value: Any, variant: int) -> Any:
    """Another value of the same kind: a little more, a little less, and much more."""
    match value:
        case bool():
            return not value
        case int():
            return value + (1, -1, 10)[variant]
        case "work" | "specification":
            return "work" if value == "specification" else "specification"
        case "regular" | "urgent" | "off_hours" | "urgent_off_hours" | "warranty":
            return "urgent" if value == "regular" else "regular"
    little = (timedelta(days=1), timedelta(seconds=1))
    for kind, by in zip((date, datetime), little, strict=True):
        try:
            return (kind.fromisoformat(value) + (by, -by, timedelta(days=4000))[variant]).isoformat()
        except ValueError:
            continue
    return f"{value}x"


def with_another(data: dict[str, Any], path: Path, variant: int) -> dict[str, Any]:
    """The event's data with one field changed, or one part of a list more or less."""
    changed = json.loads(json.dumps(data))
    within = changed
    for step in path[:-1]:
        within = within[step]
    if path[-1] != LENGTH:
        within[path[-1]] = other(within[path[-1]], variant)
    elif within and variant == 0:
        within.pop()
    elif within and variant == 1:
        within.append(within[0])
    return changed


def is_found(rows: list[Row]) -> bool:
    """Whether verify.py finds fault with what is decided there."""
    findings = verify.Findings()
    accounts = verify.Accounts(TERMS, None, findings)
    for row in rows:
        accounts.read("", verify.Line.parse(row.line()))
    accounts.end("")
    return bool(findings.said)


def logs() -> Iterator[list[Row]]:
    """What the true decider leaves behind."""
    for asked in histories()[:100]:
        paper = Paper()
        for one in asked:
            paper.write(ACCOUNT_ID, one.events, one.now)
        yield paper.rows


def test_every_field_is_judged_but_those_that_only_people_know():
    tried, found = Counter[tuple[str, str]](), Counter[tuple[str, str]]()
    for rows in logs():
        for index, row in enumerate(rows):
            data = json.loads(row.data)
            for path in fields(data):
                name = (row.type, ".".join(step for step in path if isinstance(step, str)))
                if not found[name] and tried[name] < TRIED:
                    changed = with_another(data, path, tried[name] % VARIANTS)
                    tried[name] += 1
                    other_rows = [*rows[:index], replace(row, data=json.dumps(changed)), *rows[index + 1 :]]
                    found[name] += changed != data and is_found(other_rows)
    assert {kind for kind, _ in found} == EVENT_TYPES.keys()
    assert {name for name, times in found.items() if not times} == KNOWN_TO_PEOPLE
