"""What each event does to an account; an event it does not know is a crash."""

from bisect import insort

from contracts.events import (
    AccountOpened,
    ClosingFacts,
    Compensation,
    CustomerChanged,
    DebtPaid,
    DebtSettled,
    Event,
    HoursCarriedOver,
    MonthClosed,
    MonthReopened,
    PackageExpired,
    PackagePurchased,
    PackageRefunded,
    PlanDropped,
    Reversal,
    TakenOver,
    TaskClosed,
    TaskCorrected,
    TaskPlanned,
    TaskReopened,
    WarrantyMarked,
    WorkResumed,
    WorkSuspended,
)
from services.ledger.domain.bookings import book, book_correction
from services.ledger.domain.local_time import month_before
from services.ledger.domain.lots import Holder, Lot
from services.ledger.domain.state import Account, Closing, Debt, Package, Paid, Plan, Taken

Parts = tuple[Taken | Paid, ...]


def evolve(account: Account, event: Event) -> Account:
    """The account after that event."""
    if isinstance(event, TaskCorrected):
        return _task_corrected(account, event)
    after = _happened(account, event)
    months = book(account.months, event, after.balance_minutes - account.balance_minutes)
    return after._replace(version=account.version + 1, months=months)


def _happened(account: Account, event: Event) -> Account:  # noqa: C901 - a case an event
    match event:
        case TaskClosed():
            return _closed(account, event, order=account.version)
        case DebtSettled():
            return _debt_settled(account, event)
        case PackagePurchased():
            return _package_purchased(account, event)
        case HoursCarriedOver():
            return _hours_carried_over(account, event)
        case PackageExpired():
            return _package_expired(account, event)
        case WarrantyMarked() | TaskReopened():
            return _reversed(account, event)
        case PackageRefunded():
            return _package_refunded(account, event)
        case DebtPaid():
            return _debt_paid(account, event)
        case WorkSuspended() | WorkResumed():
            return account._replace(suspended=isinstance(event, WorkSuspended))
        case MonthClosed():
            return account._replace(closed_through=event.month)
        case MonthReopened():
            return account._replace(closed_through=month_before(event.month))
        case TaskPlanned():
            return account.with_plan(event.task_id, Plan(event.estimated_minutes, event.planned_minutes))
        case PlanDropped():
            return account.with_plan(event.task_id, None)
        case AccountOpened() | CustomerChanged():
            return account
        case _:
            raise TypeError(f"an account does not know the event {type(event).__name__}")


def _closed(account: Account, event: ClosingFacts, order: int, taken_over: Parts = ()) -> Account:
    """The closing stands; what it owes is a debt of that order, together with what is still owed for the task."""
    at = event.effective_at
    account = account.with_draws(event.draws)
    taken = [Taken(d.lot_id, d.minutes, d.amount_kopecks, d.released, d.effective_at or at, False) for d in event.draws]
    given_at = max(event.closed_at, event.confirmed_at)
    work = (event.worked_minutes, event.charged_minutes)
    closing = Closing(event.closure, at, given_at, order, *work, (*taken_over, *taken))
    task = account.task(event.task_id)._replace(closures=event.closure, closing=closing)
    if owed := event.owed_minutes + account.owed_for(event.task_id):
        debts = [debt for debt in account.debts if debt.task_id != event.task_id]
        insort(debts, Debt(at, order, event.task_id, event.closure, owed), key=lambda debt: debt.age)
        account = account._replace(debts=tuple(debts), owed_minutes=account.owed_minutes + event.owed_minutes)
    return account.with_plan(event.task_id, None).with_task(event.task_id, task)


def _task_corrected(account: Account, event: TaskCorrected) -> Account:
    """The corrected closing leaves, in its month; then the new one comes, in its own, with what it takes over."""
    order = account.version
    if event.only_difference:
        old = account.tasks[event.task_id].closing
        assert old is not None, f"the closing of task {event.task_id} was corrected while it is open"
        order = old.order
    left = _given_back(account, event)
    after = _closed(left, event, order, tuple(map(_taken_over, event.taken_over)))
    months = book_correction(account.months, event, left.balance_minutes - account.balance_minutes)
    months = book(months, event, after.balance_minutes - left.balance_minutes)
    return after._replace(version=account.version + 1, months=months)


def _taken_over(part: TakenOver) -> Taken | Paid:
    if part.lot_id is None:
        return Paid(part.minutes, part.amount_kopecks, part.effective_at, part.hour_price_kopecks)
    return Taken(part.lot_id, part.minutes, part.amount_kopecks, part.released, part.effective_at, part.settlement)


def _debt_settled(account: Account, event: DebtSettled) -> Account:
    lot = account.lots[event.lot_id].moved(event.minutes, event.amount_kopecks)
    account = _less_owed(account.with_lots(lot), event.task_id, event.minutes)
    task = account.tasks[event.task_id]
    assert task.closing is not None, f"debt of task {event.task_id} was settled while it is open"
    taken = Taken(event.lot_id, event.minutes, event.amount_kopecks, event.released, event.effective_at, True)
    closing = task.closing._replace(parts=(*task.closing.parts, taken))
    return account.with_task(event.task_id, task._replace(closing=closing))


def _debt_paid(account: Account, event: DebtPaid) -> Account:
    for payment in event.payments:
        account = _less_owed(account, payment.task_id, payment.minutes)
        task = account.tasks[payment.task_id]
        assert task.closing is not None, f"debt of task {payment.task_id} was paid while it is open"
        paid = Paid(payment.minutes, payment.amount_kopecks, event.effective_at, event.hour_price_kopecks)
        closing = task.closing._replace(parts=(*task.closing.parts, paid))
        account = account.with_task(payment.task_id, task._replace(closing=closing))
    return account


def _less_owed(account: Account, task_id: str, minutes: int) -> Account:
    """A task has one closing at a time, so at most one debt."""
    debts: list[Debt] = []
    for debt in account.debts:
        if debt.task_id != task_id:
            debts.append(debt)
        elif debt.minutes > minutes:
            debts.append(debt._replace(minutes=debt.minutes - minutes))
    return account._replace(debts=tuple(debts), owed_minutes=account.owed_minutes - minutes)


def _package_purchased(account: Account, event: PackagePurchased) -> Account:
    for package_id in event.succeeds:
        predecessor = account.packages[package_id]
        packages = account.packages.set(package_id, predecessor._replace(successor_id=event.package_id))
        account = account._replace(packages=packages)
    package = Package(
        package_id=event.package_id,
        starts_at=event.effective_at,
        ends_at=event.ends_at,
        order=account.version,
        takes_over=event.carry_over,
        lot_ids=(event.package_id,),
        successor_id=event.successor_package_id,
    )
    return _opened(account, package, event.minutes, event.price_kopecks)


def _opened(account: Account, package: Package, minutes: int, price_kopecks: int) -> Account:
    lot = Lot(
        lot_id=package.package_id,
        starts_at=package.starts_at,
        size_minutes=minutes,
        price_kopecks=price_kopecks,
        left_minutes=minutes,
        booked_kopecks=0,
        holders=(Holder(package.package_id, package.ends_at),),
    )
    return account.with_package(package).with_lots(lot)


def _hours_carried_over(account: Account, event: HoursCarriedOver) -> Account:
    carried = tuple(share.lot_id for share in event.lots)
    account = account.with_lots(*(account.lots[lot].carried(event.to_package_id, event.ends_at) for lot in carried))
    former, heir = account.packages[event.from_package_id], account.packages[event.to_package_id]
    left_behind = tuple(lot_id for lot_id in former.lot_ids if lot_id not in carried)
    packages = account.packages.set(former.package_id, former._replace(lot_ids=left_behind))
    account = account._replace(packages=packages)
    return account.with_package(heir._replace(lot_ids=heir.lot_ids + carried, expired=False))


def _package_expired(account: Account, event: PackageExpired) -> Account:
    package = account.packages[event.package_id]
    account = account.with_lots(*(account.lots[lot_id]._replace(expired=True) for lot_id in package.lot_ids))
    return account.with_package(package._replace(expired=True))


def _package_refunded(account: Account, event: PackageRefunded) -> Account:
    lot = account.lots[event.lot_id]
    account = account.with_lots(lot._replace(left_minutes=0, refunded=True))
    packages = account.packages.set(lot.lot_id, account.packages[lot.lot_id]._replace(refunded=True))
    for heir in event.succeeded:
        package = packages[heir.package_id]
        packages = packages.set(heir.package_id, package._replace(successor_id=heir.successor_package_id))
    return account._replace(packages=packages)


def _reversed(account: Account, event: Reversal) -> Account:
    account = _given_back(account, event)
    task = account.task(event.task_id)
    if isinstance(event, TaskReopened):
        return account.with_task(event.task_id, task._replace(closing=None))
    if plan := account.plans.get(event.task_id):
        account = account.with_plan(event.task_id, plan._replace(planned_minutes=0))
    closing = task.closing._replace(charged_minutes=0, parts=(), reversed=True) if task.closing else None
    return account.with_task(event.task_id, task._replace(warranty=True, closing=closing))


def _given_back(account: Account, event: Reversal | TaskCorrected) -> Account:
    for back in event.returned:
        account = account.with_lots(account.lots[back.lot_id].moved(-back.minutes, -back.amount_kopecks))
    if event.cancelled_owed_minutes:
        account = _less_owed(account, event.task_id, event.cancelled_owed_minutes)
    return _compensated(account, event.task_id, event.compensation) if event.compensation else account


def _compensated(account: Account, task_id: str, given: Compensation) -> Account:
    """A package of its own that never receives hours (rule 8.2); the task's later closings take it first (6.2)."""
    package = Package(
        package_id=given.package_id,
        starts_at=given.starts_at,
        ends_at=given.ends_at,
        order=account.version,
        takes_over=False,
        lot_ids=(given.package_id,),
    )
    account = _opened(account, package, given.minutes, given.amount_kopecks)
    task = account.task(task_id)
    return account.with_task(task_id, task._replace(compensations=(given.package_id, *task.compensations)))
