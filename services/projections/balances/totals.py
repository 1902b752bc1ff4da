"""Totals of a day over all accounts, by effect: movements are summed as they come, and lots know when they end."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import date, datetime, time, timedelta
from typing import Literal, NamedTuple

from asyncpg import Connection

from contracts.events import HoursCarriedOver, PackageRefunded, Reversal, TaskCorrected
from contracts.quantities import SELLER_ZONE
from contracts.totals import Totals
from services.projections.balances.changes import Change
from services.projections.balances.movements import OWED
from services.projections.rows import Row
from services.projections.totals import totals

Kind = Literal[
    "PackagePurchased", "TaskClosed", "DebtSettled", "DebtPaid", "WarrantyMarked", "TaskReopened", "HoursCarriedOver",
    "TaskCorrected", "PackageRefunded", "Compensated", "Retained",
]  # fmt: skip
"""What moved: the event's type, but for the hours of a compensation, which begin when they are given (rule 8.2), and
for the money that the seller keeps at a refund (rule 14.2)."""

USED: tuple[Kind, ...] = ("TaskClosed", "TaskCorrected", "WarrantyMarked", "TaskReopened")

ADD_TO_DAYS = """
    INSERT INTO day_total AS kept (day, kind, minutes, owed_minutes, amount_kopecks, paid_kopecks)
    SELECT * FROM unnest($1::date[], $2::text[], $3::bigint[], $4::bigint[], $5::bigint[], $6::bigint[])
    ON CONFLICT (day, kind) DO UPDATE SET
        minutes = kept.minutes + excluded.minutes, owed_minutes = kept.owed_minutes + excluded.owed_minutes,
        amount_kopecks = kept.amount_kopecks + excluded.amount_kopecks,
        paid_kopecks = kept.paid_kopecks + excluded.paid_kopecks
"""

MOVED_ON = "SELECT kind, minutes, owed_minutes, amount_kopecks, paid_kopecks FROM day_total WHERE day = $1"

# What is carried moves inside what is held.
MOVED_UNTIL = """
    SELECT coalesce(sum(minutes) FILTER (WHERE kind <> 'HoursCarriedOver'), 0)::bigint AS minutes,
           coalesce(sum(owed_minutes), 0)::bigint AS owed_minutes,
           coalesce(sum(amount_kopecks) FILTER (WHERE kind <> 'HoursCarriedOver'), 0)::bigint AS amount_kopecks
    FROM day_total WHERE day <= $1
"""

# What is left in a lot when it ends is forfeited then, whether the ledger has recorded that yet or not (rule 7.5).
ENDED = """
    SELECT coalesce(sum(remaining_minutes), 0)::bigint AS minutes,
           coalesce(sum(unbooked_kopecks), 0)::bigint AS amount_kopecks
    FROM lot WHERE ends_at >= $1 AND ends_at < $2 AND remaining_minutes > 0
"""

START_OF_TIME = datetime(1, 1, 2, tzinfo=SELLER_ZONE)


class Moved(NamedTuple):
    """Minutes and money of lots, minutes of the debt, and money paid for debt; signed as movements are."""

    minutes: int = 0
    owed_minutes: int = 0
    amount_kopecks: int = 0
    paid_kopecks: int = 0

    def plus(self, other: "Moved") -> "Moved":
        return Moved(*(mine + theirs for mine, theirs in zip(self, other, strict=True)))

    @property
    def balance_minutes(self) -> int:
        """By how much the balance grew."""
        return self.minutes - self.owed_minutes


def moved_by_day(changes: Sequence[Change]) -> list[Row]:
    """What a batch of events adds to each of the seller's days: the fields of Moved."""
    days: defaultdict[tuple[date, str], list[int]] = defaultdict(lambda: [0, 0, 0, 0])
    for recorded, event, moved, _ in changes:
        given = isinstance(event, Reversal | TaskCorrected) and event.compensation and event.compensation.package_id
        for lot_id, minutes, effective_at, amount_kopecks, *_ in moved:
            owed = lot_id is OWED
            kind = "Compensated" if lot_id == given and minutes > 0 else recorded.type
            sums = days[_day(effective_at), kind]
            sums[owed] += minutes
            sums[2 + owed] += amount_kopecks
        if type(event) is PackageRefunded:
            day = _day(event.effective_at)
            days[day, recorded.type][2] += event.retained_kopecks
            days[day, "Retained"][2] -= event.retained_kopecks
        if type(event) is HoursCarriedOver:
            sums = days[_day(event.effective_at), recorded.type]
            sums[0] += event.minutes
            sums[2] += sum(share.amount_kopecks for share in event.lots)
    return [(*key, *sums) for key, sums in sorted(days.items())]


def _day(instant: datetime) -> date:
    return instant.astimezone(SELLER_ZONE).date()


async def totals_of_day(connection: Connection, day: date) -> Totals:
    """What took effect on that day of the seller's, over all accounts, and what stood at its end (rules 2.2, 12)."""
    begin, end = (datetime.combine(at, time(), SELLER_ZONE) for at in (day, day + timedelta(days=1)))
    on = {kind: Moved(*moved) for kind, *moved in await connection.fetch(MOVED_ON, day)}
    until = await connection.fetchrow(MOVED_UNTIL, day)
    forfeited = await connection.fetchrow(ENDED, begin, end)
    gone = await connection.fetchrow(ENDED, START_OF_TIME, end)

    def of(kind: Kind) -> Moved:
        return on.get(kind, Moved())

    used = of("Compensated")
    for kind in USED:
        used = used.plus(of(kind))
    settled, paid = of("DebtSettled"), of("DebtPaid")
    return totals(
        day.isoformat(),
        "effect",
        sold=(of("PackagePurchased").minutes, of("PackagePurchased").amount_kopecks),
        used=(-used.balance_minutes, -used.amount_kopecks - settled.amount_kopecks - paid.paid_kopecks),
        carried_over=(of("HoursCarriedOver").minutes, of("HoursCarriedOver").amount_kopecks),
        forfeited=(forfeited["minutes"], forfeited["amount_kopecks"]),
        compensated=(of("Compensated").minutes, of("Compensated").amount_kopecks),
        settled=(-settled.minutes, -settled.amount_kopecks),
        paid=(-paid.owed_minutes, -paid.paid_kopecks),
        refunded=(-of("PackageRefunded").minutes, -of("PackageRefunded").amount_kopecks),
        retained_kopecks=-of("Retained").amount_kopecks,
        held=(until["minutes"] - gone["minutes"], until["amount_kopecks"] - gone["amount_kopecks"]),
        owed_minutes=until["owed_minutes"],
    )
