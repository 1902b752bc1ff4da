"""Each account's run-out day as it was forecast last, kept beside the balances so that lists find it (rule 18).

The ledger works forecasts out, because they rest on its rules. It is asked, one account after another, for those whose
hours have moved since, or whose forecast is of an earlier day; a list says how many these are.
"""

import asyncio
import logging
from datetime import datetime, time
from functools import partial

import asyncpg
import httpx

from contracts.forecasts import ForecastView
from contracts.quantities import SELLER_ZONE
from services.process.outages import outlasting
from services.process.pauses import Rests
from services.process.postgres_pool import POSTGRES_UNAVAILABLE
from services.projections.clock import present
from services.projections.database import connection_settings
from services.projections.following.feed import LEDGER_UNAVAILABLE
from services.projections.settings import Settings

logger = logging.getLogger(__name__)

PAGE_ACCOUNTS = 100
ROUND_SECONDS = 1.0
REST_SECONDS_MAX = 5.0
REST_TIMES = 24
"""So many times as long as an answer took the next question waits: commands have nearly all of the ledger's time."""

BESIDE = """
-- position: of the account's last event on which this rests. p10, p50, p90: the run-out day.
CREATE TABLE IF NOT EXISTS projections.forecast (
    account_id text COLLATE "C" PRIMARY KEY,
    position   bigint NOT NULL,
    as_of      timestamptz NOT NULL,
    p10        date NOT NULL,
    p50        date NOT NULL,
    p90        date NOT NULL
) WITH (fillfactor = 70);
CREATE INDEX IF NOT EXISTS forecast_by_run_out ON projections.forecast (p50, account_id);
"""

IS_BEHIND = "coalesce(forecast.position < account.position OR forecast.as_of < {}, true)"

BEHIND = f"""
    SELECT account_id FROM account LEFT JOIN projections.forecast USING (account_id)
    WHERE account_id > $2 AND {IS_BEHIND.format("$1")} ORDER BY account_id LIMIT $3
"""  # noqa: S608 - nothing in it comes from outside

COUNT_BEHIND = f"""
    SELECT count(*) FROM account LEFT JOIN projections.forecast USING (account_id)
    WHERE ($2::text[] IS NULL OR account_id = ANY ($2)) AND {IS_BEHIND.format("$1")}
"""  # noqa: S608

KEEP = """
    INSERT INTO projections.forecast (account_id, position, as_of, p10, p50, p90) VALUES ($1, $2, $3, $4, $5, $6)
    ON CONFLICT (account_id) DO UPDATE SET
        position = excluded.position, as_of = excluded.as_of, p10 = excluded.p10, p50 = excluded.p50, p90 = excluded.p90
"""

FORGET = "DELETE FROM projections.forecast"

TAKE_TURN = "SELECT pg_try_advisory_lock(hashtextextended('hourbook forecasts', 0))"


def begin_of_day(now: datetime) -> datetime:
    """When the seller's present day began: a forecast made before is of another day."""
    return datetime.combine(now.astimezone(SELLER_ZONE).date(), time(), SELLER_ZONE)


async def keep_forecasts(settings: Settings, ledger: httpx.AsyncClient) -> None:
    """Until cancelled, through every outage. Of several processes one works, and the others wait for its end."""
    outages = (*POSTGRES_UNAVAILABLE, *LEDGER_UNAVAILABLE, asyncpg.UndefinedTableError, asyncpg.UndefinedColumnError)
    await outlasting(outages, partial(_keep, settings, ledger), "The keeping of forecasts", logger)


async def _keep(settings: Settings, ledger: httpx.AsyncClient) -> None:
    connection = await asyncpg.connect(settings.database_url, **connection_settings("hourbook forecasts"))
    try:
        while not await connection.fetchval(TAKE_TURN):  # noqa: ASYNC110 - another process has it
            await asyncio.sleep(ROUND_SECONDS)
        rests = Rests(ROUND_SECONDS, REST_SECONDS_MAX)
        while True:
            if await _go_round(connection, ledger, begin_of_day(await present(settings, ledger))):
                rests.begin_anew()
            await asyncio.sleep(rests.next())
    finally:
        connection.terminate()


async def _go_round(connection: asyncpg.Connection, ledger: httpx.AsyncClient, day: datetime) -> bool:
    """Ask once for each account whose forecast is behind; whether there was any."""
    after = ""
    while behind := [row["account_id"] for row in await connection.fetch(BEHIND, day, after, PAGE_ACCOUNTS)]:
        for account_id in behind:
            begun = asyncio.get_running_loop().time()
            if forecast := await _asked(ledger, account_id):
                expected = forecast.run_out_on
                row = (forecast.position, forecast.as_of, expected.p10, expected.p50, expected.p90)
                await connection.execute(KEEP, account_id, *row)
            await asyncio.sleep(REST_TIMES * (asyncio.get_running_loop().time() - begun))
        after = behind[-1]
    return bool(after)


async def _asked(ledger: httpx.AsyncClient, account_id: str) -> ForecastView | None:
    """None for an account of which the ledger cannot tell: it is asked again in the next round."""
    answer = await ledger.get(f"/v1/accounts/{account_id}/forecast")
    if answer.status_code in (httpx.codes.NOT_FOUND, httpx.codes.CONFLICT):
        return None
    return ForecastView.model_validate_json(answer.raise_for_status().content)


async def forget_forecasts(database: asyncpg.Pool, _positions: object) -> None:
    """Those that rest on events that the logs have not any more: all are made anew."""
    await database.execute(FORGET)
