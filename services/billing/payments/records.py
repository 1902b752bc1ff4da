"""Payments in PostgreSQL: each once, what it was accepted as, and what became of it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson
from asyncpg import Record

from contracts.payments import Payment, PaymentCommand, PaymentEnd, PaymentProposal, PaymentState
from services.billing.payments.statement import BankPayment
from services.billing.running import Connection

_ADD = """
    INSERT INTO payment (document_number, document_date, amount_kopecks, payer_account, receiver_account, occurrence,
        received_on, payer_inn, payer_name, purpose, read_at, read_by)
    SELECT *, $11::timestamptz, $12::text FROM unnest($1::text[], $2::date[], $3::bigint[], $4::text[], $5::text[],
        $6::integer[], $7::date[], $8::text[], $9::text[], $10::text[])
    ON CONFLICT DO NOTHING RETURNING id
"""
_STANDING = """
    SELECT payment.*, claim.account_id AS claimed_for, claim.invoice_number AS claimed_invoice, claim.command,
        claim.body, recorded.account_id, recorded.invoice_number, recorded.event_id, recorded.at AS recorded_at,
        recorded.actor AS recorded_by, aside.reason, aside.at AS set_aside_at, aside.actor AS set_aside_by,
        CASE WHEN recorded.at IS NOT NULL THEN 'recorded' WHEN claim.at IS NOT NULL THEN 'recording'
            WHEN aside.at IS NOT NULL THEN 'set_aside' ELSE 'open' END AS state
    FROM payment
    LEFT JOIN payment_claim AS claim ON claim.payment_id = id
    LEFT JOIN payment_recorded AS recorded ON recorded.payment_id = id
    LEFT JOIN payment_set_aside AS aside ON aside.payment_id = id
"""
_ONE = f"{_STANDING} WHERE id = $1"
_LIST = f"""
    SELECT * FROM ({_STANDING}) AS standing
    WHERE ($1::text IS NULL OR state = $1) AND ($2::bigint IS NULL OR id < $2) ORDER BY id DESC LIMIT $3
"""  # noqa: S608 - nothing in it comes from outside
_CLAIM = "INSERT INTO payment_claim VALUES ($1, $2, $3, $4, $5::jsonb, $6, $7)"
_GIVE_UP = "DELETE FROM payment_claim WHERE payment_id = $1"
_RECORD = "INSERT INTO payment_recorded VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT DO NOTHING"
_SET_ASIDE = "INSERT INTO payment_set_aside VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING"


@dataclass(frozen=True)
class Intent:
    """What a payment is to be recorded as: a command to an account, for an invoice or for none."""

    account_id: str
    invoice_number: str | None
    command: PaymentCommand
    body: dict[str, Any]

    @property
    def path(self) -> str:
        """Where the command is sent."""
        last = {"PurchasePackage": "packages", "PayDebt": "debt-payments"}[self.command]
        return f"/v1/accounts/{self.account_id}/{last}"


@dataclass(frozen=True)
class KeptPayment(BankPayment):
    """A payment as it is kept, where it stands, and what it was accepted as."""

    id: int = 0
    state: PaymentState = "open"
    intent: Intent | None = None
    end: PaymentEnd | None = None

    def view(self) -> Payment:
        """As callers are shown it; of one that was accepted and is not recorded yet, what it was accepted as."""
        shown = {name: value for name, value in vars(self).items() if name in Payment.model_fields}
        waiting = self.intent if self.state == "recording" else None
        proposal = waiting and PaymentProposal(**vars(waiting), dry_run=None, refusal=None)
        return Payment(payment_id=self.id, proposal=proposal, **shown)


async def add(connection: Connection, payments: Sequence[BankPayment], at: datetime, actor: str) -> int:
    """Keep those that nobody has kept, and return how many they were."""
    columns = (
        "document_number", "document_date", "amount_kopecks", "payer_account", "receiver_account", "occurrence",
        "received_on", "payer_inn", "payer_name", "purpose",
    )  # fmt: skip
    values = ([getattr(payment, column) for payment in payments] for column in columns)
    return len(await connection.fetch(_ADD, *values, at, actor))


async def one(connection: Connection, payment_id: int) -> KeptPayment | None:
    """A payment as it stands; None where there is none."""
    row = await connection.fetchrow(_ONE, payment_id)
    return row and _kept(row)


async def listed(
    connection: Connection, state: PaymentState | None, after: int | None, limit: int
) -> list[KeptPayment]:
    """Payments in that state or in any, the newest first, after that one."""
    return list(map(_kept, await connection.fetch(_LIST, state, after, limit)))


async def claim(connection: Connection, payment_id: int, intent: Intent, at: datetime, actor: str) -> None:
    """Say what the payment is to be recorded as, before it is."""
    body = orjson.dumps(intent.body).decode()
    await connection.execute(
        _CLAIM, payment_id, intent.account_id, intent.invoice_number, intent.command, body, at, actor
    )


async def give_up(connection: Connection, payment_id: int) -> None:
    """Take the claim back of what the ledger has refused."""
    await connection.execute(_GIVE_UP, payment_id)


async def record(
    connection: Connection, payment_id: int, intent: Intent, event_id: str, at: datetime, actor: str
) -> None:
    """Say that the payment is recorded."""
    await connection.execute(
        _RECORD, payment_id, intent.account_id, intent.invoice_number, intent.command, event_id, at, actor
    )


async def set_aside(connection: Connection, payment_id: int, reason: str, at: datetime, actor: str) -> None:
    """Say that the payment is none of the ledger's; it may be accepted later all the same."""
    await connection.execute(_SET_ASIDE, payment_id, reason, at, actor)


def _kept(row: Record) -> KeptPayment:
    of_bank = {name: row[name] for name in BankPayment.__dataclass_fields__}
    intent = None
    if row["claimed_for"]:
        intent = Intent(row["claimed_for"], row["claimed_invoice"], row["command"], orjson.loads(row["body"]))
    return KeptPayment(**of_bank, id=row["id"], state=row["state"], intent=intent, end=_end(row))


def _end(row: Record) -> PaymentEnd | None:
    if row["recorded_at"]:
        return PaymentEnd(
            at=row["recorded_at"],
            actor=row["recorded_by"],
            account_id=row["account_id"],
            invoice_number=row["invoice_number"],
            event_id=row["event_id"],
        )
    if row["set_aside_at"]:
        return PaymentEnd(at=row["set_aside_at"], actor=row["set_aside_by"], reason=row["reason"])
    return None
