"""Which alerts a command would change: the events of its dry run, folded onto the account as it is watched now."""

from collections.abc import Iterable

from asyncpg import Connection

from contracts.alerts import ForeseenAlert, ForeseenAlerts
from contracts.envelope import RecordedEvent
from services.projections.debt_alerts.sentences import sentence
from services.projections.debt_alerts.watch import Change, Watched, after
from services.projections.following.logged import CannotApply, Logged, Unreadable
from services.projections.lookups import UnknownAccount

WATCHED = "SELECT watched FROM alert_account WHERE account_id = $1"


class NotOfADryRun(ValueError):
    """These events do not follow what the account is."""


async def foreseen(connection: Connection, account_id: str, events: Iterable[RecordedEvent]) -> ForeseenAlerts:
    """What the events would change; NotOfADryRun where they are none of the account's dry runs.

    UnknownAccount for one that they do not open either.
    """
    kept = await connection.fetchval(WATCHED, account_id)
    watched = Watched.model_validate_json(kept) if kept else None
    if watched is None and not any(each.type == "AccountOpened" for each in events):
        raise UnknownAccount(account_id)
    try:
        changes = list(changes_by(account_id, watched, events))
    except (CannotApply, ValueError, OverflowError) as misfit:
        raise NotOfADryRun from misfit
    return ForeseenAlerts(account_id=account_id, alerts=tuple(map(_foreseen, changes)))


def changes_by(account_id: str, watched: Watched | None, events: Iterable[RecordedEvent]) -> Iterable[Change]:
    """Each change of an alert, as `watch.after` finds it. A dry run's events stand nowhere in the log."""
    for each in events:
        logged = Logged.read(each.model_copy(update={"position": watched.position if watched else 0}))
        if each.account_id != account_id or isinstance(logged.event, Unreadable):
            raise NotOfADryRun
        watched, made = after(watched, logged)
        yield from made


def _foreseen(change: Change) -> ForeseenAlert:
    episode = change.episode
    text = sentence(change.kind, episode.details, episode.closed_at)
    return ForeseenAlert(kind=change.kind, type=change.type, text=text)
