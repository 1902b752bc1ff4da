"""The comparisons of months, kept for ever, and the last word on each portal, beside the log."""

from datetime import UTC, datetime, timedelta

from contracts.drift import Agreement, Drift, DriftBody, PortalState, PortalStateBody
from contracts.quantities import Month
from services.ledger.event_store.database import Database, LedgerUnavailable

_INSERT = """
    INSERT INTO ledger.drift (month, compared_at, actor, differing, comparison) VALUES ($1, $2, $3, $4, $5)
    ON CONFLICT DO NOTHING RETURNING month
"""
_LAST = "SELECT comparison FROM ledger.drift WHERE month = $1 ORDER BY compared_at DESC LIMIT 1"
_LAST_AGREED = """
    SELECT comparison FROM ledger.drift WHERE month = $1 AND differing = 0 ORDER BY compared_at DESC LIMIT 1
"""
_SAY = """
    INSERT INTO ledger.portal (actor, state) VALUES ($1, $2)
    ON CONFLICT (actor) DO UPDATE SET state = excluded.state, reported_at = now() RETURNING reported_at
"""
_STATES = "SELECT actor, reported_at, state FROM ledger.portal ORDER BY actor"

QUIET_MAX = timedelta(minutes=10)
"""So much longer than its round a connector may say nothing: a round takes its time."""


async def record(database: Database, month: Month, body: DriftBody, actor: str) -> None:
    """Keep a comparison; the same one again changes nothing."""
    await database.value(_INSERT, month, body.compared_at, actor, len(body.items), body.model_dump_json())


async def drift(database: Database, month: Month) -> Drift:
    """The last comparison of a month, and the last one in which nothing differed."""
    last = await _comparison(database, _LAST, month)
    agreed = await _comparison(database, _LAST_AGREED, month)
    return Drift(
        month=month,
        compared_at=last and last.compared_at,
        agreed=last.agreed if last else 0,
        items=last.items if last else (),
        last_agreement=agreed
        and Agreement(
            compared_at=agreed.compared_at,
            positions=agreed.positions,
            agreed=agreed.agreed,
            hash=agreed.ledger_hash,
        ),
    )


async def _comparison(database: Database, query: str, month: Month) -> DriftBody | None:
    found = await database.value(query, month)
    return DriftBody.model_validate_json(found) if found else None


async def say(database: Database, body: PortalStateBody, actor: str) -> PortalState:
    """Remember what a connector says of its portal, in place of what it said before."""
    reported_at = await database.value(_SAY, actor, body.model_dump_json())
    return PortalState(**body.model_dump(), actor=actor, reported_at=reported_at)


async def portals(database: Database) -> tuple[PortalState, ...]:
    """What each connector has said last."""
    rows = await database.rows(_STATES)
    return tuple(
        PortalState(
            **PortalStateBody.model_validate_json(row["state"]).model_dump(),
            actor=row["actor"],
            reported_at=row["reported_at"],
        )
        for row in rows
    )


async def notices(database: Database) -> list[str]:
    """What somebody has to look at, a sentence each: nothing is charged, or tasks wait; nothing during an outage."""
    try:
        states = await portals(database)
    except LedgerUnavailable:
        return []
    return [sentence for state in states for sentence in sentences(state, datetime.now(UTC))]


async def parts(database: Database) -> dict[str, list[str]]:
    """What is against the part `portal`; there is no such part without any connector, or during an outage."""
    try:
        states = await portals(database)
    except LedgerUnavailable:
        return {}
    now = datetime.now(UTC)
    return {"portal": [sentence for state in states for sentence in _unread(state, now)]} if states else {}


def sentences(state: PortalState, now: datetime) -> list[str]:
    """What is to be said of one portal."""
    found = _unread(state, now)
    if waiting := state.undecided + state.proposed + state.refused:
        found.append(f"{waiting} tasks of the portal of {state.actor} wait for somebody to decide: see /drift.")
    return found


def _unread(state: PortalState, now: datetime) -> list[str]:
    found: list[str] = []
    if now - state.reported_at > timedelta(seconds=state.every_seconds) + QUIET_MAX:
        since = state.reported_at.isoformat(timespec="minutes")
        found.append(f"The connector {state.actor} has said nothing of its portal since {since}.")
    if state.condition != "read":
        last = state.read_at.isoformat(timespec="minutes") if state.read_at else "never"
        found.append(f"The portal of {state.actor} cannot be read, it was last read whole {last}: {state.sentence}.")
    return found
