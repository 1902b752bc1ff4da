"""What the rulebook says must come of a command, rule by rule, worked out from a naive ledger."""

from calendar import monthrange
from collections.abc import Generator, Iterator
from copy import deepcopy
from datetime import date, datetime, time, timedelta
from fractions import Fraction
from zoneinfo import ZoneInfo

from contracts.commands import (
    ChangeCustomer,
    CloseMonth,
    CloseTask,
    Command,
    CorrectTask,
    DropPlan,
    MarkWarranty,
    PayDebt,
    PlanTask,
    PurchasePackage,
    RefundPackage,
    ReopenTask,
)
from contracts.events import (
    ClosingFacts,
    DebtPaid,
    DebtSettled,
    Event,
    HoursCarriedOver,
    MonthClosed,
    PackageExpired,
    PackagePurchased,
    PackageRefunded,
    PlanDropped,
    Reversal,
    TaskClosed,
    TaskCorrected,
    TaskPlanned,
)
from tests.ledger.domain.naive_ledger import NaiveClosing, NaiveLedger, NaiveLot, NaivePackage, Took, fields

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
            words = said_of_closing(event)
        case PackagePurchased():
            words = (event.package_id, event.minutes, event.price_kopecks, event.ends_at)
        case TaskPlanned():
            words = (event.task_id, event.warranty, event.planned_minutes)
        case PlanDropped():
            words = (event.task_id,)
        case TaskCorrected():
            kept = [(part[0] or "", *part[1:]) for part in map(fields, event.taken_over)]
            over = (event.only_difference, kept, event.taken_over_owed_minutes, event.amount_kopecks)
            gone = (event.corrected_worked_minutes, event.corrected_charged_minutes, event.corrected_amount_kopecks)
            old = (event.corrected_closure, event.corrected_effective_at, gone)
            words = (said_of_closing(event), over, said_of_return(event), old)
        case PackageRefunded():
            money = (event.refunded_kopecks, event.retained_kopecks)
            words = (event.lot_id, event.package_id, event.refunded_minutes, money)
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
            taken_out = (event.worked_minutes, event.charged_minutes)
            words = (event.task_id, event.closure, taken_out, said_of_return(event))
        case MonthClosed():
            frozen = [tuple(report.model_dump().values()) for report in event.reports]
            words = (event.month, frozen, event.account_version)
        case _:
            pass
    return (type(event).__name__, event.effective_at, *words)


def said_of_closing(event: ClosingFacts) -> Said:
    """The charge, its draws, and what is owed."""
    draws = [(draw.lot_id, draw.minutes, draw.amount_kopecks, draw.released, draw.effective_at) for draw in event.draws]
    return (event.task_id, event.closure, event.charged_minutes, draws, event.owed_minutes)


def said_of_return(event: Reversal | TaskCorrected) -> Said:
    """What went back, what is not owed any more, and what makes up for the rest."""
    back = [
        (part.lot_id, part.minutes, part.amount_kopecks, part.effective_at, part.settlement, part.forfeited)
        for part in event.returned
    ]
    made_up = event.compensation and tuple(event.compensation.model_dump().values())
    return (sorted(back), event.cancelled_owed_minutes, made_up)


def course(ledger: NaiveLedger, command: Command | None, now: datetime) -> Iterator[Said]:
    """What must happen, one event after another; the ledger reads each before the next is asked for (rule 11.1)."""
    yield from due(ledger, now)
    if command is None:
        return
    orphans = [one for one in ledger.packages.values() if one.expired and not ledger.successor(one)]
    triggered_at = yield from fact_of(ledger, command, now)
    if isinstance(command, PurchasePackage):
        yield from reclaimed(ledger, orphans, ledger.packages[command.package_id])
    else:
        yield from gone_on(ledger)
        yield from due(ledger, now)
    settled_or_due = True
    while settled_or_due:
        settled_or_due = False
        while settlement := next_settlement(ledger, triggered_at):
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


def gone_on(ledger: NaiveLedger) -> Iterator[Said]:
    """Rule 8.1: what has returned to a forfeiture goes on to a successor, if there is one by now."""
    for package in sorted(ledger.packages.values(), key=lambda one: (one.ends_at, one.starts_at, one.package_id)):
        forfeited = [lot for lot in map(ledger.lots.get, package.holds) if lot.left and lot.expired]
        if forfeited and (heir := ledger.successor(package)):
            yield carried(package, heir, forfeited, reclaimed=True)


def fact_of(ledger: NaiveLedger, command: Command, now: datetime) -> Generator[Said, None, datetime]:
    """The event of the command itself; returns from when on it may settle debt."""
    if isinstance(command, CorrectTask):
        return (yield from corrected(ledger, command, now))
    fact = simple_fact_of(ledger, command, now)
    yield fact
    return now if isinstance(command, ChangeCustomer) else fact[1]


def simple_fact_of(ledger: NaiveLedger, command: Command, now: datetime) -> Said:
    """What follows from one look at the ledger."""
    match command:
        case CloseTask():
            at = min(max(command.closed_at, command.confirmed_at), now)
            return ("TaskClosed", at, *closed(ledger, command, at))
        case PayDebt():
            return paid(ledger, command.minutes, min(command.paid_at, now))
        case MarkWarranty() | ReopenTask():
            return taken_back(ledger, command, now)
        case RefundPackage():
            return refunded(ledger, command, now)
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


def charge(ledger: NaiveLedger, command: CloseTask | CorrectTask) -> Fraction:
    """Rules 5.2 and 5.6."""
    category = "warranty" if command.task_id in ledger.warranty else command.category
    return COEFFICIENTS[category] * command.worked_minutes


def closed(ledger: NaiveLedger, command: CloseTask | CorrectTask, at: datetime) -> Said:
    """Task, closing, charge, draws, and what is owed."""
    number = ledger.closed_times.get(command.task_id, 0) + 1
    charged = charge(ledger, command)
    return (command.task_id, number, charged, *drawn(ledger, command.task_id, charged, at))


def drawn(ledger: NaiveLedger, task_id: str, needed: int | Fraction, at: datetime) -> Said:
    """Rules 6.1 to 6.3: the draws, and what no lot could give."""
    numbers = range(ledger.closed_times.get(task_id, 0), 0, -1)
    own = [ledger.lots[name] for number in numbers if (name := f"compensation-{task_id}-{number}") in ledger.lots]
    others = [lot for lot in ledger.lots.values() if lot not in own and lot.starts_at <= at < lot.ends[-1]]
    sources = [(lot, max(at, lot.starts_at)) for lot in own]
    sources += [(lot, None) for lot in sorted(others, key=lambda lot: priority(lot, at) if at < lot.ends[-1] else ())]
    draws: list[Said] = []
    for lot, since in sources:
        if needed and lot.left and (since is None or since < lot.ends[-1]):
            draws.append((*give(lot, needed), since))
            needed -= min(needed, lot.left)
    return (draws, needed)


def priority(lot: NaiveLot, at: datetime) -> Said:
    """Rule 6.2: the end of the package that held it then, its start, its id."""
    return (min(end for end in lot.ends if at < end), lot.starts_at, lot.lot_id)


def give(lot: NaiveLot, wanted: int | Fraction) -> Said:
    """Rule 4.4: what a draw takes from a lot, and its money."""
    minutes = min(wanted, lot.left)
    used = lot.size - lot.left + minutes
    due_by_then = round(Fraction(lot.price) * used / lot.size)
    return (lot.lot_id, minutes, sorted((0, due_by_then - lot.booked, lot.price - lot.booked))[1], lot.expired)


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
            before = [(took.minutes, took.kopecks) for took in debt.took if not took.lot_id]
            cost = round(Fraction((sum(paid for paid, _ in before) + part) * DEBT_HOUR_PRICE, 60))
            parts.append((task_id, part, max(cost - sum(kopecks for _, kopecks in before), 0)))
            minutes, at = minutes - part, max(at, debt.at)
    return ("DebtPaid", at, parts)


def taken_back(ledger: NaiveLedger, command: MarkWarranty | ReopenTask | CorrectTask, now: datetime) -> Said:
    """Rules 8.1, 8.2, 8.4, 8.5."""
    name = "WarrantyMarked" if isinstance(command, MarkWarranty) else "TaskReopened"
    closing = ledger.closings.get(command.task_id)
    if closing is None:
        return (name, now, command.task_id, None, (0, 0), ([], 0, None))
    back = returned(ledger, command.task_id, closing, closing.took, closing.owed, now)
    worked = 0 if isinstance(command, MarkWarranty) else closing.worked
    return (name, closing.at, command.task_id, closing.number, (worked, closing.charged), back)


def returned(
    ledger: NaiveLedger, task_id: str, closing: NaiveClosing, parts: list[Took], cancelled: int, now: datetime
) -> Said:
    """What goes back, what is not owed any more, and what makes up for the rest (rules 8.1, 8.2, 14.3)."""

    def goes_back(took: Took) -> bool:
        lot = ledger.lots.get(took.lot_id)
        return lot is not None and not lot.refunded and (took.released or not lot.expired)

    back = [(*took[:5], ledger.lots[took.lot_id].expired) for took in parts if goes_back(took)]
    lost = [(took.minutes, took.kopecks) for took in parts if not goes_back(took)]
    made_up = compensation(ledger, f"compensation-{task_id}-{closing.number}", lost, now) if lost else None
    return (sorted(back), cancelled, made_up)


def corrected(ledger: NaiveLedger, command: CorrectTask, now: datetime) -> Generator[Said, None, datetime]:
    """Rule 8.6."""
    old = ledger.closings[command.task_id]
    given = max(command.closed_at, command.confirmed_at)
    at = old.at if given == old.given else min(given, now)
    gone = (old.worked, old.charged, sum(took.kopecks for took in old.took))
    if at == old.at and not old.reversed:
        yield ("TaskCorrected", at, *difference(ledger, command, old, now), (old.number, old.at, gone))
        return at
    reopened = taken_back(ledger, command, now)
    back, cancelled, made_up = reopened[-1]
    then = deepcopy(ledger)
    then.give_back(command.task_id, old.at, [part[:5] for part in back], cancelled, made_up)
    if list(gone_on(then)):
        yield reopened
        yield from gone_on(ledger)
        yield from due(ledger, now)
        then, gone, reopened = ledger, (0, 0, 0), (*reopened[:-1], ([], 0, None))
    anew = closed(then, command, at)
    money = sum(part[2] for part in anew[3])
    yield ("TaskCorrected", at, anew, (False, [], 0, money), reopened[-1], (old.number, old.at, gone))
    return min(at, old.at)


def difference(ledger: NaiveLedger, command: CorrectTask, old: NaiveClosing, now: datetime) -> Said:
    """Rule 8.6: the two take effect at one instant."""
    charged, task_id = charge(ledger, command), command.task_id
    too_much = max(old.charged - charged, 0)
    cancelled = min(too_much, old.owed)
    too_much -= cancelled
    kept, back = list[Took](), list[Took]()
    for took in reversed(old.took):
        gives = min(took.minutes, too_much)
        too_much -= gives
        rest = took.minutes - gives
        money = round(Fraction(took.kopecks * rest, took.minutes))
        if rest:
            kept.insert(0, took._replace(minutes=rest, kopecks=money))
        if gives:
            back.append(took._replace(minutes=gives, kopecks=took.kopecks - money))
    draws, owed = drawn(ledger, task_id, max(charged - old.charged, 0), old.at)
    closing = (task_id, ledger.closed_times[task_id] + 1, charged, draws, owed)
    money = sum(took.kopecks for took in kept) + sum(part[2] for part in draws)
    over = (True, [tuple(took) for took in kept], old.owed - cancelled, money)
    return (closing, over, returned(ledger, task_id, old, back, cancelled, now))


def refunded(ledger: NaiveLedger, command: RefundPackage, now: datetime) -> Said:
    """Rule 14."""
    lot = ledger.lots[command.package_id]
    holder = next(package for package in ledger.packages.values() if lot.lot_id in package.holds)
    unbooked = lot.price - lot.booked
    amount = unbooked if command.amount_kopecks is None else command.amount_kopecks
    return ("PackageRefunded", now, lot.lot_id, holder.package_id, lot.left, (amount, unbooked - amount))


def compensation(ledger: NaiveLedger, package_id: str, lost: list[tuple[int, int]], now: datetime) -> Said:
    """Rule 8.2: valid for thirty days, or as long as the package that lasts longest."""
    last_day = now.astimezone(MOSCOW).date() + timedelta(days=30)
    ends = [one.ends_at for one in ledger.packages.values() if one.ends_at > now and not one.refunded]
    ends_at = max([datetime.combine(last_day + timedelta(days=1), time(), MOSCOW), *ends])
    return (package_id, sum(minutes for minutes, _ in lost), sum(kopecks for _, kopecks in lost), now, ends_at)
