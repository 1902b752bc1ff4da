"""Histories in which callers try what the rules refuse, under terms that change: a broken rule has its opportunity."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from copy import deepcopy
from datetime import datetime, timedelta
from random import Random
from typing import Any

import pytest

from contracts.commands import CorrectTask, RefundPackage
from services.ledger.domain.account import Account, due
from services.ledger.domain.terms import Terms
from tests.auditing.mutated_decider import Asked
from tests.auditing.paper_log import terms_document
from tests.ledger import vocabulary
from tests.ledger.domain.expected_events import moment
from tests.ledger.domain.histories import CATEGORIES, DAY, HOUR, MINUTE, PLANS, WORKED, next_step
from tests.ledger.vocabulary import (
    Step,
    Story,
    buy,
    change_customer,
    close,
    close_month,
    drop_plan,
    mark_warranty,
    no_account,
    open_account,
    pay,
    plan,
    reopen,
    reopen_month,
    resume,
    suspend,
    time_passes,
)

ACCOUNT_ID = "mutant"
TWO_ENTRIES = {"raw_seconds": 2, "entries": 2, "rounding": "entry"}
"""Each is rounded up: one entry, or fewer seconds, would not make two quanta."""


def changing_terms() -> str:
    """Three price lists, one after another, in the form in which the ledger publishes them."""
    (first,) = json.loads(terms_document())["versions"]
    second, third = deepcopy(first), deepcopy(first)
    second |= {"name": "2024-07", "in_force_from": "2024-07-01T00:00:00+03:00", "quantum_minutes": 20}
    second |= {
        "debt_hour_price_kopecks": 350_100,
        "low_balance_percent": 20,
        "expiring_days": 21,
        "compensation_days": 45,
    }
    second["coefficients"] = {**first["coefficients"], "urgent": "2", "off_hours": "2.5"}
    third |= {"name": "2025-03", "in_force_from": "2025-03-01T00:00:00+03:00"}
    third |= {"debt_hour_price_kopecks": 401_300}
    for version, minutes in ((second, 60), (third, 120)):
        for listed in version["plans"].values():
            listed["minutes"] += minutes
            listed["price_kopecks"] += 11 * minutes
            listed["hour_price_kopecks"] += 700
            listed["validity_months"] += 1
    return json.dumps({"versions": [first, second, third]})


def parsed_terms(document: str) -> Terms:
    """As the domain has them."""
    versions: list[dict[str, Any]] = deepcopy(json.loads(document)["versions"])
    return Terms.parse(
        {
            "version": [
                {
                    **version,
                    "in_force_from": moment(version["in_force_from"]),
                    "plans": list(version["plans"].values()),
                }
                for version in versions
            ]
        }
    )


def history(random: Random, terms: Terms) -> list[Asked]:
    """Commands at their times, and what the true decider makes of them."""
    with unopened(terms) as story:
        steps = [open_account()] if random.random() < 0.9 else [buy("p00"), open_account()]
        asked = [_asked(story, step) for step in steps]
        asked += going_on(story, random, random.choice((10, 30, 50)))
        return [*asked, _asked(story, time_passes(str(story.now + random.choice((MINUTE, 400 * DAY)))))]


def going_on(story: Story, random: Random, steps: int) -> list[Asked]:
    """So many commands more of an account."""
    asked: list[Asked] = []
    for _ in range(steps):
        tempting = random.random() < 0.3
        step = random.choice(TEMPTATIONS)(story, random) if tempting else next_step(story, random.randbytes(6))
        asked.append(_asked(story, step))
    return asked


def rare_histories(terms: Terms) -> list[list[Asked]]:
    """What chance hardly ever brings about."""
    found: list[list[Asked]] = []
    for steps in RARE:
        with unopened(terms) as story:
            found.append([_asked(story, step) for step in (open_account(), *steps)])
    return found


@contextmanager
def unopened(terms: Terms, account_id: str = ACCOUNT_ID) -> Iterator[Story]:
    """An account of the right name that nobody has opened yet."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(vocabulary, "ACCOUNT_ID", account_id)
        story = no_account(terms)
        story.account = Account(account_id)
        yield story


def _asked(story: Story, step: Step) -> Asked:
    story.when(step)
    return Asked(story.command, story.now, story.latest)


def _closing(story: Story, random: Random) -> Step:
    """Its times, consents and entries may or may not be as they have to be."""
    now = story.now + random.choice((MINUTE, HOUR, DAY))
    at = now + random.choice((-40 * DAY, -DAY, -HOUR, 0 * DAY, 4 * MINUTE, 6 * MINUTE, 9 * MINUTE))
    closed = at + random.choice((-9 * DAY, -HOUR, 0 * DAY, 0 * DAY, HOUR))
    started = closed + random.choice((-40 * DAY, -3 * HOUR, -3 * HOUR, MINUTE))
    consents = (False, str(started), str(started + MINUTE))
    worked = random.choice((10, 20, 60, 7, 0, -10))
    entries = random.choice((None, [(worked, 0)], [(worked, 12)], [(10, 0)], [(worked - 10, 0), (10, 1)]))
    midnight = moment(f"{closed - 2 * DAY:%Y-%m-%d}")
    return close(
        f"T-{random.randrange(12)}",
        worked=worked,
        category=random.choice(CATEGORIES),
        on=str(at),
        recorded=str(now),
        started=random.choice((None, str(started), str(started))),
        closed=str(closed),
        confirmed=random.choice((str(at), str(at), None)),
        agreed=random.choice(consents),
        requested=random.choice(consents),
        kind=random.choice(("work", "work", "specification")),
        package_use_agreed=random.choice((None, str(at), str(at + MINUTE))),
        entries=(entries and [(str(midnight + hour * HOUR), minutes) for minutes, hour in entries if minutes > 0])
        or None,
    )


def _purchase(story: Story, random: Random) -> Step:
    """Bought twice, or tomorrow, or exactly when another package begins or ends."""
    now = story.now + random.choice((MINUTE, HOUR))
    packages = list(story.account.packages.values())
    edges = [edge for package in packages for edge in (package.starts_at, package.ends_at) if edge <= now]
    at = random.choice((now + 4 * MINUTE, now + 9 * MINUTE, now - 100 * DAY, *edges[-6:]))
    package_id = f"p{random.randrange(len(packages) + 2):02}"
    return buy(package_id, random.choice(PLANS), on=str(at), recorded=str(now), carry_over=random.random() < 0.7)


def _agreed_purchase(story: Story, random: Random) -> Step:
    """Of a size, a price or a last day of its own; sometimes of none, or with a last day before the purchase."""
    now = story.now + random.choice((MINUTE, HOUR))
    at = now - random.choice((0, 0, 3, 40, 200)) * DAY
    terms = {
        "minutes": random.choice((1, 7, 601, 5000)),
        "price_kopecks": random.choice((0, 1, 12_345, 9_000_000)),
        "ends_on": f"{at + random.choice((-1, 0, 1, 20, 200)) * DAY:%Y-%m-%d}",
    }
    named = random.sample(sorted(terms), random.choice((1, 1, 2, 3)))
    package_id = f"a{random.randrange(30):02}"
    return buy(package_id, random.choice(PLANS), on=str(at), recorded=str(now), **{name: terms[name] for name in named})


def _planning(story: Story, random: Random) -> Step:
    """A task is planned, perhaps one that is closed, or its plan is taken back, perhaps where there is none."""
    task, on = f"T-{random.randrange(12)}", str(story.now + random.choice((MINUTE, DAY)))
    if random.random() < 0.4:
        return drop_plan(task, on=on)
    return plan(task, random.choice((10, 20, 60, 7, 0, -10)), category=random.choice(CATEGORIES), on=on)


def _new_customer(story: Story, random: Random) -> Step:
    """From today on, or from a day that may lie in a closed month, or ahead."""
    now = story.now + random.choice((MINUTE, 7 * HOUR))
    since = now + random.choice((0, 0, -3, -20, -60, 1)) * DAY
    return change_customer(f"{since:%Y-%m-%d}", on=str(now), customer_name="Копыта и рога")


def _work(story: Story, random: Random) -> Step:
    """Much of it, so that debt arises, also long ago."""
    now = story.now + random.choice((MINUTE, HOUR))
    at = now - random.choice((0, 0, 1, 30, 100)) * DAY
    return close(f"T-{random.randrange(12)}", worked=random.choice(WORKED), on=str(at), recorded=str(now))


def _payment(story: Story, random: Random) -> Step:
    now = story.now + MINUTE
    owed = max(story.account.owed_minutes, 1)
    at = now - random.choice((-4 * MINUTE, -9 * MINUTE, 0 * DAY, DAY, 200 * DAY))
    return pay(random.choice((owed, owed + 1, owed // 2 + 1, 7)), on=str(at), recorded=str(now))


def _month(story: Story, random: Random) -> Step:
    day = story.now - random.choice((0, 20, 40, 70)) * DAY
    return random.choice((close_month, reopen_month))(f"{day:%Y-%m}", on=str(story.now + MINUTE))


def _correction(story: Story, random: Random) -> Step:
    """More or less time than was charged: at the instant of the closing, as it was given or counts, or at another."""
    closed = _closings(story)
    if not closed or random.random() < 0.05:
        return _corrected(_closing(story, random))
    was = random.choice(closed)
    now = story.now + random.choice((MINUTE, HOUR, DAY))
    closed_at, confirmed_at = (moment(was[name]) for name in ("closed_at", "confirmed_at"))
    at = random.choice((confirmed_at, confirmed_at, confirmed_at, moment(was["effective_at"]), _another(story, random)))
    worked = was["worked_minutes"] + random.choice((0, 20, 120, 1200, -20, -120, -was["worked_minutes"] // 40 * 20))
    step = close(
        was["task_id"],
        worked=worked,
        category=random.choice((was["category"], was["category"], *CATEGORIES)),
        on=str(at),
        recorded=str(now),
        closed=str(min(closed_at, at)),
        agreed=True,
        requested=True,
    )
    return _corrected(step)


def _another(story: Story, random: Random) -> datetime:
    """Lately, long ago, or a little ahead."""
    return story.now + random.choice((-90 * DAY, -20 * DAY, -2 * DAY, -HOUR, 4 * MINUTE))


def _closings(story: Story) -> list[dict[str, Any]]:
    """What the closings state that stand."""
    stand: dict[str, dict[str, Any]] = {}
    for event in story.recorded:
        if event.type in ("TaskClosed", "TaskCorrected"):
            stand[event.data["task_id"]] = event.data
        elif event.type == "TaskReopened":
            stand.pop(event.data["task_id"], None)
    return [*stand.values()]


def _corrected(closing: Step) -> Step:
    """The closing is said to stand in place of the task's last one."""

    def command(at: datetime) -> CorrectTask:
        assert closing.command is not None
        stated = closing.command(at).model_dump(exclude={"command"})
        return CorrectTask(**stated, reason="исправлено время")

    return Step(command, closing.on, closing.recorded)


def _refund(story: Story, random: Random) -> Step:
    """Of any lot, also one that is gone, in full or for less; sometimes for more than it is worth."""
    lots = list(story.account.lots.values())
    lot = random.choice(lots) if lots else None
    unbooked = lot.price_kopecks - lot.booked_kopecks if lot else 0
    amount = random.choice((None, None, unbooked, unbooked // 2, 0, unbooked + 1))

    def command(_: datetime) -> RefundPackage:
        return RefundPackage(
            account_id=story.account.account_id,
            package_id=lot.lot_id if lot else "none",
            reason="договор расторгнут",
            refund_reference="п/п 7",
            amount_kopecks=amount,
        )

    return Step(command, str(story.now + MINUTE))


def _other(story: Story, random: Random) -> Step:
    task, on = f"T-{random.randrange(12)}", str(story.now + MINUTE)
    return random.choice(
        (open_account(on=on), suspend(on=on), resume(on=on), mark_warranty(task, on=on), reopen(task, on=on))
    )


def _until_due(story: Story, random: Random) -> Step:
    """The very instant at which the next package ends."""
    due_at = story.account.next_due_at
    if due_at is None or due_at < story.now or due(story.account, story.now):
        return time_passes(str(story.now + timedelta(hours=9)))
    return time_passes(str(due_at))


TEMPTATIONS: tuple[Callable[[Story, Random], Step], ...] = (
    _closing, _closing, _closing, _purchase, _purchase, _work, _work, _payment, _month, _other, _until_due,
    _correction, _correction, _correction, _refund, _agreed_purchase, _agreed_purchase, _planning, _planning,
    _new_customer,
)  # fmt: skip

RETURNED_TO_A_FORFEITURE_WITH_A_SUCCESSOR = (
    buy("winter", on="2024-01-10"),
    close("T-1", worked=600, on="2024-02-01", recorded="2024-05-01"),
    close("T-2", worked=600, on="2024-02-01", recorded="2024-05-01 10:00"),
    buy("spring", on="2024-03-01", recorded="2024-05-02"),
)

RARE: tuple[tuple[Step, ...], ...] = (
    (
        *RETURNED_TO_A_FORFEITURE_WITH_A_SUCCESSOR,
        reopen("T-1", on="2024-05-03"),
        buy("between", on="2024-02-15", recorded="2024-05-04"),
    ),
    (
        *RETURNED_TO_A_FORFEITURE_WITH_A_SUCCESSOR,
        _corrected(close("T-1", worked=300, on="2024-02-10", recorded="2024-05-03")),
        time_passes("2024-09-01"),
    ),
    (
        *RETURNED_TO_A_FORFEITURE_WITH_A_SUCCESSOR,
        close("T-3", worked=2000, on="2024-02-20", recorded="2024-07-20"),
        _corrected(close("T-1", worked=300, on="2024-02-01", recorded="2024-07-21")),
    ),
    (  # debt that carried hours settle
        buy("spring", on="2024-03-18"),
        close("T-1", worked=1800, on="2024-04-15"),
        buy("winter", on="2024-01-06", recorded="2024-04-15 10:00", carry_over=False),
    ),
    (  # a draw that costs less than nothing, by the roundings
        buy("winter", minutes=60, price_kopecks=1, on="2024-01-10"),
        close("T-1", worked=30, on="2024-01-11"),
        close("T-2", worked=10, on="2024-01-12"),
        reopen("T-1", on="2024-01-13"),
        close("T-3", worked=10, on="2024-01-14"),
    ),
    (  # two closings of one task that were made up for
        buy("winter", on="2024-01-10"),
        close("T-1", worked=60, on="2024-02-01"),
        reopen("T-1", on="2024-05-01"),
        close("T-1", worked=20, on="2024-05-02"),
        reopen("T-1", on="2024-07-10"),
        close("T-1", worked=10, on="2024-05-20", recorded="2024-07-11"),
    ),
    (  # two debts of one instant, the first of them corrected
        close("T-1", worked=60, on="2024-02-01"),
        close("T-2", worked=60, on="2024-02-01", recorded="2024-02-02"),
        _corrected(close("T-1", worked=100, on="2024-02-01", recorded="2024-02-03")),
        buy("spring", minutes=50, on="2024-02-04"),
    ),
    (  # hours that a correction sets free, and an old debt
        buy("winter", on="2024-01-10"),
        close("T-1", worked=1200, on="2024-01-20"),
        close("T-2", worked=60, on="2024-01-15", recorded="2024-01-21"),
        _corrected(close("T-1", worked=600, on="2024-01-25", recorded="2024-01-26")),
    ),
    (  # a payment that is said to have been made when debt cost less than what has been paid
        close("T-1", worked=1200, on="2024-01-20"),
        pay(600, on="2025-04-01"),
        pay(10, on="2024-02-01", recorded="2025-04-02"),
    ),
    (  # worked time of which it is said what it was made of
        close("T-1", worked=20, on="2024-01-20", evidence=TWO_ENTRIES | {"raw_seconds": 1200}),
        close("T-2", worked=20, on="2024-01-21", evidence=TWO_ENTRIES),
        close("T-3", worked=20, on="2024-01-22", evidence={"raw_seconds": 1499, "rounding": "nearest"}),
        close("T-4", worked=20, on="2024-01-23", evidence={"raw_seconds": 1201}),
        _corrected(close("T-1", worked=20, on="2024-01-20", recorded="2024-01-24", evidence=TWO_ENTRIES)),
        _corrected(close("T-2", worked=20, on="2024-01-21", recorded="2024-01-25", evidence=TWO_ENTRIES)),
    ),
    (  # what the rules refuse, or what changes with the price lists
        close("T-1", category="urgent_off_hours", requested=True),
        close("T-1", category="urgent", on="2024-02-01", started="2024-01-30", agreed="2024-01-31"),
        close("T-1", category="urgent", on="2024-02-01", agreed="2024-01-31"),
        close("T-1", started="2024-02-02 09:00", closed="2024-02-01", on="2024-02-02 10:00"),
        close("T-1", closed="2024-02-03", on="2024-02-02 11:00"),
        close("T-1", worked=7),
        close("T-1", worked=0),
        close("T-1", worked=20, entries=[("2024-02-01", 10)]),
        close("T-1", kind="specification"),
        close("T-1", kind="specification", on="2024-02-03", package_use_agreed="2024-02-04"),
        buy("short", on="2024-02-04", ends_on="2024-02-03"),
        plan("T-1", 7),
        plan("T-1", 0),
        drop_plan("T-1"),
        plan("T-1", 60, category="urgent"),
        close("T-1", category="urgent", started="2024-06-20", on="2024-06-21", recorded="2024-07-05", agreed=True),
        drop_plan("T-1"),
        plan("T-1", 60),
        plan("T-2", 60, category="urgent"),
        mark_warranty("T-2"),
        plan("T-2", 60, category="urgent"),
    ),
)
