"""Writers in several processes, killed and cut off, on shared accounts: nothing skipped, reordered, doubled or lost.

The long form is `make campaign-concurrency`.
"""

import pytest

from tests.ledger.event_store.events import event
from tests.reliability.concurrency.campaign import Broken, Tail, Tally, rage


async def test_nothing_is_skipped_reordered_doubled_or_lost(server_folder, postgres):
    def enough(so_far: Tally) -> bool:
        return so_far.kills >= 3 and so_far.lost_answers >= 2 and so_far.cut_connections >= 1

    tally = await rage(enough, server_folder, postgres.url, seed=1)
    assert tally.accepted > 0
    assert tally.refused > 0
    assert tally.long_transactions > 0


def test_a_reader_at_the_tail_sees_what_is_skipped_repeated_or_out_of_order():
    first, second, third = (event("a", n, f"k{n}")._replace(position=n) for n in (1, 2, 3))
    Tail().take([first, second, third])
    for wrong in ([second], [first, third], [first, second, second], [first, third._replace(position=2)]):
        with pytest.raises(Broken):
            Tail().take(wrong)
