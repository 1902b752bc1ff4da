"""Events are read as pydantic reads them, whatever a contract's fields are like."""

from typing import Any

import pytest
from pydantic import Field

from contracts.events import Event, TimeEntry
from services.process.event_reading import reader

TIMES = '"effective_at":"2026-03-01T10:00:00Z","booking_month":"2026-03"'


class Remembered(Event):
    """A fact with every kind of default."""

    note: str = "none"
    labels: tuple[str, ...] = Field(default_factory=lambda: ("new",))
    counts: dict[str, int] = Field(default_factory=dict)
    entries: tuple[TimeEntry, ...] | None = None


@pytest.mark.parametrize("given", ["", ',"labels":["a"]', ',"counts":{"a":1},"note":"x"', ',"entries":null'])
def test_an_absent_field_is_what_the_contract_says(given: str):
    data = f"{{{TIMES}{given}}}"
    assert reader(Remembered)(data).model_dump() == Remembered.model_validate_json(data).model_dump()


def test_what_a_factory_makes_is_no_other_events():
    first, second = (reader(Remembered)(f"{{{TIMES}}}") for _ in range(2))
    assert isinstance(first, Remembered)
    assert isinstance(second, Remembered)
    first.counts["a"] = 1
    assert second.counts == {}


class Renamed(Event):
    """A fact whose field stands under another name."""

    note: str = Field(alias="remark")


class Derived(Event):
    """A fact with a default that is made of its other fields."""

    note: str = Field(default_factory=lambda data: data["booking_month"])


@pytest.mark.parametrize("model", [Renamed, Derived])
def test_a_contract_that_would_be_read_otherwise_is_refused_at_start(model: Any):
    with pytest.raises(TypeError, match="note: an event is read by the names of its fields"):
        reader(model)
