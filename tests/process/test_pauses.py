"""Pauses grow while nothing is found, up to a bound, and are short again at once."""

from services.process.pauses import Rests


def test_rests_grow_while_it_is_quiet_and_are_short_once_something_is_found():
    rests = Rests(0.5, 2.0)
    assert [rests.next() for _ in range(4)] == [0.5, 1.0, 2.0, 2.0]
    rests.begin_anew()
    assert rests.next() == 0.5
