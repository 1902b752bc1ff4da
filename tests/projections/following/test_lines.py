"""A line of the log reads as the contracts read it, whichever way it is read."""

import re

import pytest
from hypothesis import given

from contracts.envelope import RecordedEvent
from contracts.events import EVENT_TYPES, CustomerChanged, MonthReopened
from services.process.event_reading import READERS
from services.projections.following.lines import NOT_AS_WRITTEN, read_line
from services.projections.following.logged import Logged, Unreadable
from tests.projections.histories import TURNS, Turn, play
from tests.projections.sample import TRADE, sample_log
from tests.projections.vocabulary import Log, opened, purchased


def assert_read_alike(lines: list[RecordedEvent]) -> None:
    """By the quick way itself, which falls back on nothing here."""
    for recorded in lines:
        line = read_line(recorded.model_dump_json().encode())
        event = READERS[line.type](line.data)
        expected = recorded.event()
        assert event == expected
        assert event.model_dump_json() == expected.model_dump_json()
        assert event.model_copy() == expected
        for name in ("position", "event_id", "account_id", "type", "recorded_at"):
            assert getattr(line, name) == getattr(recorded, name)


def test_the_samples_read_as_the_contracts_read_it():
    log = sample_log(TRADE)
    month = "2026-03"
    times = {"effective_at": log.clock, "booking_month": month}
    log.record("romashka", MonthReopened(**times, month=month, reason="ошибка"))
    log.record("romashka", CustomerChanged(**times, effective_on="2026-03-01", contract_number="18/26"))
    log.lines += sample_log().lines
    assert {line.type for line in log.lines} == set(EVENT_TYPES)
    assert_read_alike(log.lines)


@given(turns=TURNS)
def test_any_history_reads_as_the_contracts_read_it(turns: list[Turn]):
    log = Log()
    play(log, "romashka", turns)
    assert_read_alike(log.lines)


def test_an_event_of_an_older_version_has_what_it_lacked():
    log = Log()
    log.record("romashka", purchased("spring", on="2026-03-01", until="2026-06-02"))
    old = log.lines[0].model_copy(update={"data": dict(log.lines[0].data)})
    del old.data["low_balance_minutes"], old.data["succeeds"]
    event = Logged.of_line(old.model_dump_json().encode()).event
    assert (event.low_balance_minutes, event.succeeds) == (None, ())


MISFITS = [("customer_name", 7), ("contract_date", "yesterday"), ("effective_at", None)]


@pytest.mark.parametrize(("name", "value"), MISFITS)
def test_data_that_do_not_fit_are_told_with_their_place(name: str, value: object):
    log = Log()
    log.record("romashka", opened())
    line = log.lines[0]
    line.data[name] = value
    with pytest.raises(NOT_AS_WRITTEN):
        READERS[line.type](read_line(line.model_dump_json().encode()).data)
    logged = Logged.of_line(line.model_dump_json().encode())
    assert isinstance(logged.event, Unreadable)
    assert re.match(rf"its data do not fit AccountOpened:[^$]*{name}", logged.event.reason)
    assert (logged.position, logged.recorded.event_id) == (1, line.event_id)


def test_what_does_not_fit_is_said_in_one_line_without_values():
    """Health and logs show the reason, and values may name people."""
    log = Log()
    log.record("romashka", opened())
    line = log.lines[0].model_copy(update={"data": {"customer_name": ["Иванова"]}})
    unreadable = Logged.of_line(line.model_dump_json().encode()).event
    assert isinstance(unreadable, Unreadable)
    assert "customer_name" in unreadable.reason
    assert "\n" not in unreadable.reason
    assert "Иванова" not in unreadable.reason
