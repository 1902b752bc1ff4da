"""To accept a payment: what it is for is said first, then recorded by the public route, then said to be recorded.

Whatever is killed in between, the next who accepts it sends the same command with the same key, and nothing is recorded
twice.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from contracts.envelope import Recorded
from contracts.invoices import Invoice
from contracts.payments import PaymentAcceptance
from contracts.quantities import SELLER_ZONE, Instant
from services.billing.hourbook import Hourbook
from services.billing.invoices import records as invoices
from services.billing.payments import records
from services.billing.payments.intents import intended, key_of
from services.billing.payments.records import Intent, KeptPayment
from services.billing.running import Billing, Connection
from services.process.problem_responses import ProblemError

_LOCK = "SELECT pg_advisory_lock(hashtextextended('hourbook payment ' || $1::bigint, 0))"
_UNLOCK = "SELECT pg_advisory_unlock(hashtextextended('hourbook payment ' || $1::bigint, 0))"
_DECIDED = {404, 409, 422}
"""With these the ledger has looked the key up and recorded nothing; others, as of the door, say nothing of that."""

PAYS = {"PurchasePackage": "PackagePurchased", "PayDebt": "DebtPaid"}


async def accept(
    billing: Billing, hourbook: Hourbook, payment_id: int, asked: PaymentAcceptance, actor: str
) -> KeptPayment:
    """The payment once it is recorded; ProblemError where it is for something else already, or is refused.

    One that was accepted and not recorded, as by a process that was killed, is recorded as it was accepted then.
    """
    now = await billing.now(hourbook)
    async with _alone_with(billing, payment_id) as connection:
        payment = await require(connection, payment_id)
        if payment.state == "recorded":
            raise ProblemError("payment-not-open", f"The payment {payment_id} is recorded already.")
        intent = payment.intent
        if intent is None:
            invoice = await _invoice(connection, asked.account_id, asked.invoice, now)
            intent = await intended(hourbook, payment, asked, invoice)
            await records.claim(connection, payment_id, intent, now, actor)
        event_id = await _recorded(connection, hourbook, payment, intent)
        await records.record(connection, payment_id, intent, event_id, now, actor)
        return await require(connection, payment_id)


@asynccontextmanager
async def _alone_with(billing: Billing, payment_id: int) -> AsyncIterator[Connection]:
    """A connection that nobody else has for this payment, in any process; one that is lost lets others go on."""
    async with billing.connection() as connection:
        try:
            await connection.execute(_LOCK, payment_id)
            yield connection
        finally:  # also where it was cancelled while it waited: then it may have the lock, or not
            if not connection.is_closed():
                await connection.execute(_UNLOCK, payment_id)


async def _recorded(connection: Connection, hourbook: Hourbook, payment: KeptPayment, intent: Intent) -> str:
    """Send the command, and return the id of its event. A claim that the ledger refuses is given up."""
    try:
        answer = await hourbook.command(intent.path, intent.body, key_of(payment))
    except ProblemError as refused:
        if refused.status_code in _DECIDED and refused.problem.slug != "idempotency-key-reused":
            await records.give_up(connection, payment.id)
        raise
    events = Recorded.model_validate(answer).events
    return next(event.event_id or "" for event in events if event.type == PAYS[intent.command])


async def _invoice(connection: Connection, account_id: str, number: str | None, now: Instant) -> Invoice | None:
    """The invoice of that number; ProblemError where there is none, or it is paid."""
    if number is None:
        return None
    kept = await invoices.one(connection, account_id, number, now.astimezone(SELLER_ZONE).date())
    if kept is None:
        raise ProblemError("invoice-not-found", f"The account {account_id} has no invoice {number}. Check both.")
    if kept.invoice.state == "paid":
        raise ProblemError("invoice-not-open", f"The invoice {number} is paid.")
    return kept.invoice


async def require(connection: Connection, payment_id: int) -> KeptPayment:
    """The payment; `payment-not-found` where there is none."""
    payment = await records.one(connection, payment_id)
    if payment is None:
        raise ProblemError("payment-not-found", f"There is no payment {payment_id}. Check its id.")
    return payment
