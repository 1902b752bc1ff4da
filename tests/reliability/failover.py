"""The machine of the primary dies under load, again and again, and Patroni has the standby take its place.

python -m tests.reliability.failover 5: nothing acknowledged is lost, doubled or diverged; says for how long nobody
was answered.
"""

import asyncio
import os
import sys
import time
from unittest.mock import patch

from rich.console import Console

from infra.data_folder import free_port
from services.operating.up import Hourbook, running
from tests.conftest import reachable_folder
from tests.reliability.faults import Stage, SteadyLoad
from tests.reliability.patroni import PatroniCluster, patroni_in


async def campaign(deaths: int) -> int:
    """So many deaths; how many of them left something wrong."""
    console, wrong = Console(), 0
    with reachable_folder() as folder:
        async with patroni_in(folder) as cluster:
            with patch.dict(os.environ, {"DATABASE_URL": cluster.url}):
                os.environ.pop("NATS_URL", None)
                started = running(folder / "data", free_port())
                hourbook = await asyncio.to_thread(started.__enter__)
            try:
                for number in range(1, deaths + 1):
                    wrong += not await _died(cluster, hourbook, console, number)
            finally:
                await asyncio.to_thread(started.__exit__, None, None, None)
    console.print(f"{deaths} deaths of the primary, {wrong} with something wrong")
    return wrong


async def _died(cluster: PatroniCluster, hourbook: Hourbook, console: Console, number: int) -> bool:
    load, failed = SteadyLoad(hourbook.url), await cluster.primary()
    seconds = 0.0

    async def die() -> None:
        nonlocal seconds
        begun = time.monotonic()
        await asyncio.to_thread(cluster.members[failed].die)
        await cluster.primary(other_than=failed)
        seconds = time.monotonic() - begun
        await asyncio.to_thread(cluster.start, failed)
        await cluster.in_step()

    try:
        await load.run(disturb=die)
        await Stage(hourbook, {}, {}, None).recovered()
        await load.check(hourbook.url)
    except (AssertionError, TimeoutError) as broken:
        console.print(f"{number:>3}  {failed} died: [red]{broken!r}")
        return False
    console.print(
        f"{number:>3}  {failed} died: another primary after {seconds:.1f} s, no command answered for "
        f"{load.longest_wait:.1f} s, {len(load.acknowledged)} acknowledged, none lost, doubled or diverged"
    )
    return True


if __name__ == "__main__":
    sys.exit(asyncio.run(campaign(int(sys.argv[1]))) > 0)
