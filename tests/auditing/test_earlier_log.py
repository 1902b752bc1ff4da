"""A log that the program left behind before its rules had a second edition holds for ever, and goes on."""

import gzip
import json
from collections.abc import Iterator
from dataclasses import fields, replace
from pathlib import Path
from random import Random

from contracts.events import EVENT_TYPES
from services.auditing.handed_out import verify
from services.ledger.domain.account import fold
from tests.auditing.mutated_decider import Asked
from tests.auditing.paper_log import Paper, Row
from tests.auditing.tempting_histories import changing_terms, going_on, parsed_terms, unopened

EARLIER = Path(__file__).with_name("earlier_log.ndjson.gz")


def earlier() -> Paper:
    """The log as that program recorded it: 30 accounts under terms that changed twice."""
    lines = map(verify.Line.parse, gzip.decompress(EARLIER.read_bytes()).splitlines())
    names = [field.name for field in fields(Row) if field.name != "data"]
    rows = [Row(data=line.payload.decode(), **{name: getattr(line, name) for name in names}) for line in lines]
    return Paper(rows, [len(rows)], terms=changing_terms())


def test_what_was_decided_before_there_were_editions_holds(tmp_path: Path):
    assert verify.main([str(earlier().export(tmp_path / "export"))]) == 0


def test_it_would_not_hold_by_the_rules_of_today(tmp_path: Path):
    paper = earlier()
    paper.rows = [replace(row, data=json.dumps(json.loads(row.data) | {"rules_edition": 2})) for row in paper.rows]
    assert verify.main([str(paper.export(tmp_path / "export"))]) == 1


def test_it_goes_on_by_the_rules_of_today(tmp_path: Path):
    paper = earlier()
    later = [(asked.now, account_id, asked.events) for account_id, asked in followed(paper) if asked.events]
    for now, account_id, events in sorted(later, key=lambda each: each[:2]):
        paper.write(account_id, events, now)
    paper.sizes = [len(paper.rows)]
    assert verify.main([str(paper.export(tmp_path / "export"))]) == 0


def followed(paper: Paper) -> Iterator[tuple[str, Asked]]:
    """What its accounts are asked from then on, and what the ledger of today makes of it."""
    random = Random(1)
    for account_id in sorted({row.account_id for row in paper.rows}):
        rows = [row for row in paper.rows if row.account_id == account_id]
        with unopened(parsed_terms(changing_terms()), account_id) as story:
            events = [EVENT_TYPES[row.type].model_validate_json(row.data) for row in rows]
            story.account, story.now = fold(story.account, events), paper.rows[-1].recorded_at
            for asked in going_on(story, random, 25):
                yield account_id, asked
