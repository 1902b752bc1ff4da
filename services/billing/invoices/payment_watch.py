"""Which invoices are paid: the log is read for purchases and payments, whoever recorded them."""

import asyncio
import logging
from collections.abc import Iterable, Sequence

import orjson
from asyncpg import Record

from contracts.envelope import RecordedEvent
from services.billing.invoices.numbers import numbers_in
from services.billing.invoices.records import end
from services.billing.running import Billing, Connection
from services.process.pauses import Rests

logger = logging.getLogger(__name__)

PAGE_EVENTS = 5_000
POLL_SECONDS = 0.5
REST_SECONDS_MAX = 5.0
OF_PAYMENT = {"PackagePurchased", "DebtPaid"}
_MAY_PAY = (b'"PackagePurchased"', b'"DebtPaid"')

_PLACE = "SELECT position, event_id FROM log_place WHERE log = $1"
_BEGIN = "INSERT INTO log_place VALUES ($1, 0, '') ON CONFLICT DO NOTHING"
_MOVE = "UPDATE log_place SET position = $2, event_id = $3 WHERE log = $1 AND position = $4"
_BACK = "UPDATE log_place SET position = 0, event_id = '' WHERE log = $1"
_UNPAID = """
    SELECT id, number, account_id, package_id, debt_minutes,
        EXISTS (SELECT FROM invoice_end WHERE invoice_id = invoice.id AND state = 'withdrawn') AS is_withdrawn
    FROM invoice
    WHERE account_id = ANY ($1)
        AND NOT EXISTS (SELECT FROM invoice_end WHERE invoice_id = invoice.id AND state = 'paid')
    ORDER BY id
"""


async def watch_payments(billing: Billing) -> None:
    """Until cancelled. What has been read is settled together with what it pays, so that nothing is passed over."""
    logs, rests = 1, Rests(POLL_SECONDS, REST_SECONDS_MAX)
    while True:
        counts = [await _read_on(billing, log) for log in range(logs)]
        logs = max(known for known, _ in counts)
        if any(read for _, read in counts):
            rests.begin_anew()
        if all(read < PAGE_EVENTS for _, read in counts):  # or there is more to read at once
            await asyncio.sleep(rests.next())


async def _read_on(billing: Billing, log: int) -> tuple[int, int]:
    """One page of a log: how many logs there are, and how many events were new.

    The page begins with the last event that was read: where the log has another one there, as after a restore, it is
    read again from its beginning, which pays nothing twice.
    """
    async with billing.connection() as connection:
        position, event_id = await connection.fetchrow(_PLACE, log) or (0, "")
    asked = {"log": str(log), "after": max(position - 1, 0), "limit": PAGE_EVENTS + 1}
    answer = await billing.hourbook.answer("GET", "/v1/log", params=asked)
    lines, logs = answer.content.splitlines(), int(answer.headers["Hourbook-Logs"])
    if position:
        known = RecordedEvent.model_validate(orjson.loads(lines.pop(0))) if lines else None
        if known is None or (known.position, known.event_id) != (position, event_id):
            logger.warning("log %d has another past than was read: it is read again from its beginning", log)
            async with billing.connection() as connection:
                await connection.execute(_BACK, log)
            return logs, 1
    if lines:
        await _settle(billing, log, position, lines)
    return logs, len(lines)


async def _settle(billing: Billing, log: int, position: int, lines: Sequence[bytes]) -> None:
    """Move the place, and say which invoices these lines pay; where another process was first, nothing."""
    last = orjson.loads(lines[-1])
    events = [
        RecordedEvent.model_validate(said)
        for line in lines
        if any(mark in line for mark in _MAY_PAY) and (said := orjson.loads(line))["type"] in OF_PAYMENT
    ]
    async with billing.transaction() as connection:
        await connection.execute(_BEGIN, log)
        if await connection.execute(_MOVE, log, last["position"], last["event_id"], position) == "UPDATE 1":
            await _pay(connection, events)


async def _pay(connection: Connection, events: Sequence[RecordedEvent]) -> None:
    if not events:
        return
    unpaid = await connection.fetch(_UNPAID, list({event.account_id for event in events}))
    for event in events:
        for invoice in paid_by(event, unpaid):
            await end(
                connection, invoice["id"], "paid", event.recorded_at, event.actor or "local", event_id=event.event_id
            )


def paid_by(event: RecordedEvent, invoices: Iterable[Record]) -> list[Record]:
    """The invoices that a purchase or a payment pays.

    A purchase is of the package that the invoice names; one that was withdrawn is meant where no other names it. A
    payment names the invoice in its reference, and pays as many minutes or more.
    """
    of_account = [invoice for invoice in invoices if invoice["account_id"] == event.account_id]
    if event.type == "PackagePurchased":
        named = [invoice for invoice in of_account if invoice["package_id"] == event.data["package_id"]]
        return [invoice for invoice in named if not invoice["is_withdrawn"]] or named
    return [
        invoice
        for invoice in of_account
        if invoice["debt_minutes"] is not None
        and invoice["debt_minutes"] <= event.data["minutes"]
        and invoice["number"] in numbers_in(event.data["payment_reference"])
    ]
