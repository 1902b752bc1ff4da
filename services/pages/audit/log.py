"""Events read by the public routes: a page of a log, or of one account, with the filters of the auditor's page."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any

import orjson

from contracts.envelope import RecordedEvent
from contracts.quantities import SELLER_ZONE
from services.pages.api import Api

ROWS = 50
SCANNED_MAX = 2000
"""So many events are gone through for one page that names a type or a day; the next page goes on behind them."""

CLOCKS_DIFFER = timedelta(minutes=5)


@dataclass(frozen=True)
class Asked:
    """Which events; `after` is a position of the log."""

    log: int = 0
    after: int = 0
    account: str | None = None
    type: str | None = None
    on: date | None = None

    def wants(self, event: RecordedEvent) -> bool:
        """Whether an event is of that type and was recorded on that day, the seller's."""
        on_day = self.on is None or event.recorded_at.astimezone(SELLER_ZONE).date() == self.on
        return on_day and self.type in {None, event.type}


async def events_of(api: Api, asked: Asked) -> tuple[list[RecordedEvent], int | None]:
    """A page of events, and the position after which the next one begins; None where there is none."""
    if asked.account:
        read = [event for event in await account_events(api, asked.account) if _position(event) > asked.after]
        more = False
    else:
        after = max(asked.after, await _before_day(api, asked)) if asked.on else asked.after
        limit = SCANNED_MAX if asked.type or asked.on else ROWS
        read = await log_events(api, asked.log, after, limit)
        more = len(read) == limit and not _past(asked, read[-1])
    found = [event for event in read if asked.wants(event)]
    if len(found) > ROWS:
        return found[:ROWS], _position(found[ROWS - 1])
    return found, _position(read[-1]) if more else None


async def account_events(api: Api, account_id: str) -> list[RecordedEvent]:
    """All events of an account."""
    return list(_parsed((await api.ask("GET", f"/v1/accounts/{account_id}/events")).content))


async def log_events(api: Api, log: int, after: int, limit: int) -> list[RecordedEvent]:
    """The events of a log behind a position."""
    answer = await api.ask("GET", "/v1/log", params={"log": log, "after": after, "limit": limit})
    return list(_parsed(answer.content))


def _parsed(lines: bytes) -> Iterator[RecordedEvent]:
    return (RecordedEvent.model_validate_json(line) for line in lines.splitlines())


def _position(event: RecordedEvent) -> int:
    assert event.position is not None
    return event.position


def _past(asked: Asked, event: RecordedEvent) -> bool:
    """Whether everything behind that event was recorded after the day."""
    return asked.on is not None and event.recorded_at > _midnight(asked.on) + timedelta(days=1) + CLOCKS_DIFFER


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), SELLER_ZONE)


async def _before_day(api: Api, asked: Asked) -> int:
    """The last position that was recorded before the day, as far as the log's clock runs forward."""
    assert asked.on
    since = _midnight(asked.on) - CLOCKS_DIFFER
    low, high = 0, await head_of(api, asked.log)
    while low < high:
        middle = (low + high) // 2
        [event] = await log_events(api, asked.log, middle, 1)
        low, high = (middle + 1, high) if event.recorded_at < since else (low, middle)
    return low


async def head_of(api: Api, log: int) -> int:
    """The position of the last event of a log."""
    answer = await api.ask("GET", "/v1/log", params={"log": log, "limit": 1})
    return int(answer.headers["Hourbook-Position"])


async def access_facts(api: Api, after: int) -> list[dict[str, Any]]:
    """A page of the log of access behind a position."""
    answer = await api.ask("GET", "/v1/access/records", params={"after": after})
    return [orjson.loads(line) for line in answer.content.splitlines()]
