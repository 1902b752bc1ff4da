"""What the rulebook says must come of a command, rule by rule, worked out from a naive ledger."""

from calendar import monthrange
from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from fractions import Fraction
from zoneinfo import ZoneInfo

from contracts.commands import (
    ChangeCustomer,
    CloseMonth,
    CloseTask,
    Command,
    DropPlan,
    MarkWarranty,
    PayDebt,
    PlanTask,
    PurchasePackage,
    ReopenTask,
)
from contracts.events import (
    DebtPaid,
    DebtSettled,
    Event,
    HoursCarriedOver,
    MonthClosed,
    PackageExpired,
    PackagePurchased,
    PlanDropped,
    Reversal,
    TaskClosed,
    TaskPlanned,
)
from tests.ledger.domain.naive_ledger import NaiveClosing, NaiveLedger, NaiveLot, NaivePackage, Took

COEFFICIENTS = {
    "regular": Fraction(1),
    "urgent": Fraction(3, 2),
    "off_hours": Fraction(2),
    "urgent_off_hours": Fraction(3),
    "warranty": Fraction(0),
}
PLANS = {
    "hours-20": (1200, 319_000, 6_380_000, 3),
    "hours-30": (1800, 289_000, 8_670_000, 6),
    "hours-50": (3000, 273_000, 13_650_000, 9),
    "hours-100": (6000, 259_000, 25_900_000, 12),
}
"""Minutes, price of an hour, price, months: the table of rule 3."""

DEBT_HOUR_PRICE = 319_000
MOSCOW = ZoneInfo("Europe/Moscow")

Said = tuple[object, ...]
"""An event in a few words: its name, when it counts, and what it did."""


def said(event: Event) -> Said:
    """What happened, in the words of `course`."""
    words: Said = ()
    match event:
        case TaskClosed():
            draws = [(draw.lot_id, draw.minutes, draw.amount_kopecks, draw.released) for draw in event.draws]
            words = (event.task_id, event.closure, event.charged_minutes, draws, event.owed_minutes)
        case PackagePurchased():
            words = (event.package_id, event.minutes, event.price_kopecks, event.ends_at)
        case TaskPlanned():
            words = (event.task_id, event.warranty, event.planned_minutes)
        case PlanDropped():
            words = (event.task_id,)
        case DebtSettled():
            part = (event.lot_id, event.minutes, event.amount_kopecks, event.released)
            words = (event.task_id, event.closure, part)
        case HoursCarriedOver():
            shares = sorted((share.lot_id, share.minutes, share.amount_kopecks) for share in event.lots)
            words = (event.from_package_id, event.to_package_id, shares, event.ends_at, event.reclaimed)
        case PackageExpired():
            shares = sorted((share.lot_id, share.minutes, share.amount_kopecks) for share in event.lots)
            words = (event.package_id, event.carried_to, shares)
        case DebtPaid():
            words = ([(part.task_id, part.minutes, part.amount_kopecks) for part in event.payments],)
        case Reversal():
            back = [
                (part.lot_id, part.minutes, part.amount_kopecks, part.effective_at, part.settlement, part.forfeited)
                for part in event.returned
            ]
            made_up = event.compensation and tuple(event.compensation.model_dump().values())
            taken_out = (event.worked_minutes, event.charged_minutes, event.cancelled_owed_minutes)
            words = (event.task_id, event.closure, taken_out, sorted(back), made_up)
        case MonthClosed():
            frozen = [tuple(report.model_dump().values()) for report in event.reports]
            words = (event.month, frozen, event.account_version)
        case _:
            pass
    return (type(event).__name__, event.effective_at, *words)


def course(ledger: NaiveLedger, command: Command | None, now: datetime) -> Iterator[Said]:
    """What must happen, one event after another; the ledger reads each before the next is asked for (rule 11.1)."""
    yield from due(ledger, now)
    if command is None:
        return
    orphans = [one for one in ledger.packages.values() if one.expired and not ledger.successor(one)]
    fact = fact_of(ledger, command, now)
    yield fact
    if isinstance(command, PurchasePackage):
        yield from reclaimed(ledger, orphans, ledger.packages[command.package_id])
    settled_or_due = True
    while settled_or_due:
        settled_or_due = False
        while settlement := next_settlement(ledger, now if isinstance(command, ChangeCustomer) else fact[1]):
            settled_or_due = True
            yield settlement
        for expired in due(ledger, now):
            settled_or_due = True
            yield expired
    if ledger.suspended and ledger.balance_at(now) > 0:
        yield ("WorkResumed", now)


def due(ledger: NaiveLedger, now: datetime) -> Iterator[Said]:
    """Rules 7.1 and 7.2."""
    while package := ledger.next_due(now):
        left = [lot for lot in map(ledger.lots.get, package.holds) if lot.left and not lot.expired]
        heir = ledger.successor(package) if left else None
        if heir:
            yield carried(package, heir, left, reclaimed=False)
        forfeited = [] if heir else shares(left)
        yield ("PackageExpired", package.ends_at, package.package_id, heir and heir.package_id, forfeited)


def carried(package: NaivePackage, heir: NaivePackage, lots: list[NaiveLot], *, reclaimed: bool) -> Said:
    """Hours that change hands, at the end of the package that had them."""
    hands = (package.package_id, heir.package_id)
    return ("HoursCarriedOver", package.ends_at, *hands, shares(lots), heir.ends_at, reclaimed)


def shares(lots: list[NaiveLot]) -> list[tuple[str, int, int]]:
    """What is left in lots, and the money not yet booked for it."""
    return sorted((lot.lot_id, lot.left, lot.price - lot.booked) for lot in lots)


def reclaimed(ledger: NaiveLedger, orphans: list[NaivePackage], heir: NaivePackage) -> Iterator[Said]:
    """Rule 7.4: what packages without a successor have forfeited goes to the one they have got late."""
    for package in sorted(orphans, key=lambda one: (one.ends_at, one.starts_at, one.package_id)):
        forfeited = [lot for lot in map(ledger.lots.get, package.holds) if lot.left]
        if forfeited and ledger.successor(package) is heir:
            yield carried(package, heir, forfeited, reclaimed=True)


def fact_of(ledger: NaiveLedger, command: Command, now: datetime) -> Said:
    """The event of the command itself."""
    match command:
        case CloseTask():
            return closed(ledger, command, min(max(command.closed_at, command.confirmed_at), now))
        case PayDebt():
            return paid(ledger, command.minutes, min(command.paid_at, now))
        case MarkWarranty() | ReopenTask():
            return taken_back(ledger, command, now)
        case PurchasePackage():
            return purchased(command, min(command.purchased_at, now))
        case PlanTask():
            warranty = command.task_id in ledger.warranty
            k = 0 if warranty else COEFFICIENTS[command.category]
            return ("TaskPlanned", now, command.task_id, warranty, k * command.estimated_minutes)
        case DropPlan():
            return ("PlanDropped", now, command.task_id)
        case ChangeCustomer():
            day = min(command.effective_on, now.astimezone(MOSCOW).date())
            return ("CustomerChanged", datetime.combine(day, time(), MOSCOW))
        case CloseMonth():
            frozen = ledger.frozen(command.account_id, command.month)
            return ("MonthClosed", now, command.month, frozen, ledger.version)
        case _:
            names = {"SuspendWork": "WorkSuspended", "ResumeWork": "WorkResumed", "ReopenMonth": "MonthReopened"}
            return (names[command.command], now)


def purchased(command: PurchasePackage, at: datetime) -> Said:
    """Rules 3.2 and 3.3."""
    minutes, hour_price, price, months = PLANS[command.plan]
    day = at.astimezone(MOSCOW).date()
    first = date(day.year + (day.month - 1 + months) // 12, (day.month - 1 + months) % 12 + 1, 1)
    last_day = first + timedelta(days=min(day.day, monthrange(first.year, first.month)[1]) - 1)
    if agreed := command.agreed:
        if agreed.minutes is not None:
            minutes, price = agreed.minutes, round(Fraction(agreed.minutes * hour_price, 60))
        price = price if agreed.price_kopecks is None else agreed.price_kopecks
        last_day = agreed.ends_on or last_day
    ends_at = datetime.combine(last_day + timedelta(days=1), time(), MOSCOW)
    return ("PackagePurchased", at, command.package_id, minutes, price, ends_at)


def closed(ledger: NaiveLedger, command: CloseTask, at: datetime) -> Said:
    """Rules 5.2, 5.6, 6.1 to 6.3."""
    category = "warranty" if command.task_id in ledger.warranty else command.category
    charged = owed = COEFFICIENTS[category] * command.worked_minutes
    valid = [lot for lot in ledger.lots.values() if lot.left and lot.starts_at <= at < lot.ends[-1]]
    draws: list[Said] = []
    for lot in sorted(valid, key=lambda lot: priority(lot, at)):
        if owed:
            draws.append(give(lot, owed))
            owed -= min(owed, lot.left)
    number = ledger.closed_times.get(command.task_id, 0) + 1
    return ("TaskClosed", at, command.task_id, number, charged, draws, owed)


def priority(lot: NaiveLot, at: datetime) -> Said:
    """Rule 6.2: the end of the package that held it then, its start, its id."""
    return (min(end for end in lot.ends if at < end), lot.starts_at, lot.lot_id)


def give(lot: NaiveLot, wanted: int | Fraction) -> Said:
    """Rule 4.4: what a draw takes from a lot, and its money."""
    minutes = min(wanted, lot.left)
    used = lot.size - lot.left + minutes
    return (lot.lot_id, minutes, round(Fraction(lot.price) * used / lot.size) - lot.booked, lot.expired)


def next_settlement(ledger: NaiveLedger, triggered_at: datetime) -> Said | None:
    """Rule 6.4: the oldest debt first, from the first hours that were there after it arose."""
    for task_id, debt in by_age(ledger):
        offers: list[tuple[datetime, Said, NaiveLot]] = []
        for lot in ledger.lots.values():
            at = max(debt.at, lot.starts_at, triggered_at)
            if lot.left and debt.at < lot.ends[-1] and at < lot.ends[-1]:
                offers.append((at, priority(lot, at), lot))
        if offers:
            at, _, lot = min(offers)
            return ("DebtSettled", at, task_id, debt.number, give(lot, debt.owed))
    return None


def by_age(ledger: NaiveLedger) -> list[tuple[str, NaiveClosing]]:
    """Closings with something owed, the oldest first."""
    owing = [(task_id, closing) for task_id, closing in ledger.closings.items() if closing.owed]
    return sorted(owing, key=lambda owed: (owed[1].at, owed[1].order))


def paid(ledger: NaiveLedger, minutes: int, at: datetime) -> Said:
    """Rule 6.5."""
    parts: list[Said] = []
    for task_id, debt in by_age(ledger):
        part = min(minutes, debt.owed)
        if part:
            parts.append((task_id, part, round(Fraction(part * DEBT_HOUR_PRICE, 60))))
            minutes, at = minutes - part, max(at, debt.at)
    return ("DebtPaid", at, parts)


def taken_back(ledger: NaiveLedger, command: MarkWarranty | ReopenTask, now: datetime) -> Said:
    """Rules 8.1, 8.2, 8.4, 8.5."""
    name = "WarrantyMarked" if isinstance(command, MarkWarranty) else "TaskReopened"
    closing = ledger.closings.get(command.task_id)
    if closing is None:
        return (name, now, command.task_id, None, (0, 0, 0), [], None)

    def goes_back(took: Took) -> bool:
        return took.released or not ledger.lots[took.lot_id].expired

    back = [(*took[:5], ledger.lots[took.lot_id].expired) for took in closing.took if goes_back(took)]
    lost = [(took.minutes, took.kopecks) for took in closing.took if not goes_back(took)] + closing.paid
    made_up = compensation(ledger, f"compensation-{command.task_id}-{closing.number}", lost, now) if lost else None
    worked = closing.worked if isinstance(command, ReopenTask) else 0
    taken_out = (worked, closing.charged, closing.owed)
    return (name, closing.at, command.task_id, closing.number, taken_out, sorted(back), made_up)


def compensation(ledger: NaiveLedger, package_id: str, lost: list[tuple[int, int]], now: datetime) -> Said:
    """Rule 8.2: valid for thirty days, or as long as the package that lasts longest."""
    last_day = now.astimezone(MOSCOW).date() + timedelta(days=30)
    ends = [package.ends_at for package in ledger.packages.values() if package.ends_at > now]
    ends_at = max([datetime.combine(last_day + timedelta(days=1), time(), MOSCOW), *ends])
    return (package_id, sum(minutes for minutes, _ in lost), sum(kopecks for _, kopecks in lost), now, ends_at)
