"""A batch of events, applied to a projection in one transaction, without what belongs to halted accounts."""

import logging
from collections.abc import Sequence
from dataclasses import replace

from asyncpg import Connection

from services.projections.following import halted_accounts
from services.projections.following.halted_accounts import REFUSED, Project, blamed
from services.projections.following.logged import CannotApply, Logged, Unreadable
from services.projections.following.tracking import Place, Projection, Tracking

logger = logging.getLogger(__name__)


async def apply(connection: Connection, tracking: Tracking, before: Place, batch: Sequence[Logged]) -> Place:
    """Apply a batch that follows `before` in one transaction, without what belongs to accounts that are halted.

    Where that is refused, the accounts to blame are halted, each before its first event that cannot be applied, and
    the rest is applied. CannotApply where that is no fault of a few accounts.
    """
    try:
        async with connection.transaction():
            place = await tracking.advance(connection, before, batch)
            await _project(connection, tracking.projection, place, batch)
            return place
    except REFUSED:
        async with connection.transaction():
            return await _apply_without_blamed(connection, tracking, before, batch)


async def _apply_without_blamed(
    connection: Connection, tracking: Tracking, before: Place, batch: Sequence[Logged]
) -> Place:
    place = await tracking.advance(connection, before, batch)
    going = [logged for logged in batch if logged.recorded.account_id not in place.halted_accounts]
    found = await blamed(connection, projecting(tracking.projection), going)
    await halted_accounts.halt(connection, (tracking.projection.name, tracking.log), found.items())
    kept = [
        logged
        for logged in going
        if (at := found.get(logged.recorded.account_id)) is None or logged.position < at.event.position
    ]
    try:
        await _project(connection, tracking.projection, place, kept)
    except REFUSED as refused:
        raise CannotApply(f"events {batch[0].position} to {batch[-1].position}: {refused}") from refused
    for account_id, (event, reason) in found.items():
        why = f"event {event.recorded.event_id} at {event.position}: {reason}"
        logger.error("the account %s halted in the projection %s: %s", account_id, tracking.projection.name, why)
    return replace(place, halted_accounts=sorted({*place.halted_accounts, *found}))


async def _project(connection: Connection, projection: Projection, place: Place, batch: Sequence[Logged]) -> None:
    if place.halted_accounts:
        batch = [logged for logged in batch if logged.recorded.account_id not in place.halted_accounts]
    if batch:
        await projecting(projection)(connection, batch)


def projecting(projection: Projection) -> Project:
    """What applies a batch to a projection, and refuses one with an event that cannot be read."""

    async def project(connection: Connection, batch: Sequence[Logged]) -> None:
        for logged in batch:
            if type(logged.event) is Unreadable:
                raise CannotApply(logged.event.reason)
        await projection.project(connection, batch)

    return project
