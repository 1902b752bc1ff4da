"""No figure is bought with durability, and a figure says whether it reached what it is to reach."""

import pytest

from tests.benchmarks import sides
from tests.benchmarks.bench import require_durable
from tests.benchmarks.figures import Figure, in_turn


def test_a_server_that_waits_for_its_disk_is_measured(database_url: str):
    require_durable(database_url)


def test_a_server_that_does_not_is_refused(database_url: str):
    with pytest.raises(RuntimeError, match="synchronous_commit is off"):
        require_durable(f"{database_url}?options=-c%20synchronous_commit%3Doff")


def test_a_ratio_reaches_its_bound_from_the_side_that_counts():
    assert Figure("append", "stock", "alone", 60, 2, "/s", 30).reached
    assert not Figure("append", "stock", "alone", 58, 2, "/s", 30).reached
    assert Figure("memory", "before", "alone", 130, 100, "MiB", 1.3, at_most=True).reached
    assert not Figure("memory", "before", "alone", 131, 100, "MiB", 1.3, at_most=True).reached


def test_sides_are_measured_in_turn_and_the_median_counts():
    calls: list[str] = []

    def side(name: str, values: list[float]):
        return lambda number: calls.append(name) or values[number]

    assert in_turn(3, side("ours", [1, 9, 2]), side("theirs", [4, 5, 6])) == [2, 5]
    assert calls == ["ours", "theirs"] * 3


def test_our_sides_run_as_the_program_is_now(database_url: str, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("HOURBOOK_LOGS", "1")  # the peers have one log, and so has what is measured
    closed = sides.run(database_url, "ours.py", "close", 2, 1)["events"]
    assert sides.run(database_url, "ours.py", "append", 2, 1)["events"] > 0
    assert sides.run(database_url, "ours.py", "replay")["events"] > closed
    with sides.serving(sides.ledger_alone(), sides.environment(database_url)) as ledger:
        assert sides.run(database_url, "ours.py", "rebuild", ledger.port)["events"] > closed
