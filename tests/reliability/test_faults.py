"""A few faults of `make campaign-faults`, those that no other test has: links that fall silent, processes that hang."""

from tests.conftest import reachable_folder
from tests.reliability.faults import staged

FAULTS = {
    "links to PostgreSQL swallow": 3.0,
    "PostgreSQL stands still": 2.0,
    "links to NATS swallow": 2.0,
    "worker stands still": 1.0,
}


async def test_nothing_is_lost_doubled_or_changed_and_everything_recovers():
    with reachable_folder() as folder:
        async with staged(folder) as stage:
            for kind, seconds in FAULTS.items():
                await stage.suffer(kind, seconds)
    assert set(stage.outages) == set(FAULTS)
