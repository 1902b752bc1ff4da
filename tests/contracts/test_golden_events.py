"""Every version of every event ever written can be read for as long as the log lives."""

from pathlib import Path

import pytest
from pydantic_core import from_json

from contracts.events import EVENT_TYPES

GOLDEN = Path(__file__).parent / "golden"


@pytest.mark.parametrize("file", sorted(GOLDEN.iterdir()), ids=lambda file: file.stem)
def test_an_event_written_once_reads_as_it_was_meant(file: Path):
    name, _, _ = file.stem.partition(".v")
    written = from_json(file.read_bytes())
    read = EVENT_TYPES[name].model_validate(written).model_dump(mode="json")
    assert {field: read.get(field) for field in written} == written


def test_every_version_of_every_event_has_a_golden_file():
    written = {file.stem for file in GOLDEN.iterdir()}
    versions = {
        f"{name}.v{version}" for name, event in EVENT_TYPES.items() for version in range(1, event.schema_version + 1)
    }
    assert written == versions


def test_an_event_of_before_there_were_editions_was_decided_by_the_first():
    written = from_json((GOLDEN / "TaskClosed.v1.json").read_bytes())
    assert "rules_edition" not in written
    assert EVENT_TYPES["TaskClosed"].model_validate(written).rules_edition == 1
