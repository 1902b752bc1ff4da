"""Each event is judged by the rules of its time, and nobody chooses them; price lists are those of the log."""

import json
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from contracts.placement import ACCESS_LOG
from services.auditing.handed_out import verify
from tests.auditing.paper_log import Paper, Row, small_paper, terms_document
from tests.ledger.vocabulary import ACCOUNT_ID, given

START = given().now
HOUR = timedelta(hours=1)


def of_edition(row: Row, edition: int) -> Row:
    """The event as one decided by that edition says it; the first said nothing."""
    data = json.loads(row.data)
    del data["rules_edition"]
    return replace(row, data=json.dumps(data if edition == 1 else data | {"rules_edition": edition}))


def findings_of(paper: Paper, folder: Path, capsys: pytest.CaptureFixture[str]) -> str:
    """What verify.py has to say against the log; nothing, if all of it holds."""
    found = verify.main([str(paper.export(folder))])
    said = "\n".join(line for line in capsys.readouterr().out.splitlines() if line.startswith("FINDING"))
    assert bool(found) == bool(said)
    return said


@pytest.mark.parametrize(
    ("editions", "said"),
    [
        ((1, 1, 1, 1, 1, 1), ""),
        ((1, 1, 2, 2, 2, 2), ""),
        ((2, 2, 2, 2, 2, 2), ""),
        ((2, 2, 1, 2, 2, 2), "the edition of the rules: expected 2, which this log has followed since"),
        ((2, 2, 2, 2, 2, 1), "the edition of the rules: expected 2, which this log has followed since"),
        ((2, 2, 2, 2, 2, 3), "the edition of the rules: expected 1 or 2, found 3"),
    ],
)
def test_nobody_goes_back_to_older_rules(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], editions: tuple[int, ...], said: str
):
    paper = small_paper()
    starts = [0, *paper.sizes[:-1]]
    commands = zip(starts, paper.sizes, editions, strict=True)
    paper.rows = [of_edition(row, edition) for start, end, edition in commands for row in paper.rows[start:end]]
    found = findings_of(paper, tmp_path, capsys)
    assert said in found
    assert bool(said) == bool(found)


def test_a_command_has_one_edition(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    paper = small_paper()
    several = next(index for index, row in enumerate(paper.rows) if not row.fingerprint)
    paper.rows = [of_edition(row, 1 if index < several else 2) for index, row in enumerate(paper.rows)]
    assert "by which all of a command is decided: expected 1, found 2" in findings_of(paper, tmp_path, capsys)


@pytest.mark.parametrize(("later", "holds"), [(timedelta(), True), (HOUR, True), (HOUR + timedelta(seconds=1), False)])
def test_a_log_leaves_older_rules_behind_within_an_hour(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], later: timedelta, holds: bool
):
    paper, opened = Paper(), given()
    paper.write(ACCOUNT_ID, opened.latest, opened.now)
    paper.write("another", given().latest, opened.now)
    paper.rows[1] = of_edition(paper.rows[1], 1)
    at = paper.rows[1].recorded_at + later
    data = json.dumps(json.loads(paper.rows[1].data) | {"effective_at": at.isoformat()})
    paper.rows[1] = replace(paper.rows[1], recorded_at=at, data=data)
    assert ("which this log has followed since" not in findings_of(paper, tmp_path, capsys)) == holds


def with_published(*published: tuple[dict[str, Any], timedelta], actor: str = "local") -> Paper:
    """A log whose price lists the log of access publishes, each so long after the first."""
    story = given()
    paper, access = Paper(), Paper(log=ACCESS_LOG, stated="")
    paper.write(ACCOUNT_ID, story.latest, story.now)
    for number, (version, after) in enumerate(published, 1):
        access.rows.append(
            Row(
                position=number,
                event_id=f"00000000-0000-4000-8000-{number:012}",
                account_id="terms",
                version=number,
                command_id=f"terms-{number}",
                fingerprint="ab",
                type="TermsPublished",
                schema_version=1,
                recorded_at=story.now.astimezone(verify.EPOCH.tzinfo) + after,
                data=json.dumps({"version": version}),
                actor=actor,
            )
        )
        access.sizes.append(number)
    paper.access = access
    paper.terms = json.dumps({"versions": [version for version, _ in published]})
    return paper


def price_list(name: str, in_force_from: str) -> dict[str, Any]:
    (first,) = json.loads(terms_document())["versions"]
    return first | {"name": name, "in_force_from": in_force_from}


FIRST = price_list("first", "2020-01-01T00:00:00+03:00")


@pytest.mark.parametrize(
    ("later", "published", "said"),
    [
        ("2024-01-01T02:30:00+03:00", HOUR, ""),
        ("2024-01-01T01:30:00+03:00", timedelta(), ""),
        ("2024-01-01T01:30:00+03:00", HOUR, "in force from: expected"),
        ("2019-01-01T01:30:00+03:00", HOUR, "version 1 in terms.json: expected"),
        ("2020-01-01T00:00:00+03:00", timedelta(), "in force later than the version before: expected True"),
    ],
)
def test_price_lists_come_into_force_an_hour_after_they_are_published(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], later: str, published: timedelta, said: str
):
    paper = with_published((FIRST, timedelta()), (price_list("second", later), published))
    found = findings_of(paper, tmp_path, capsys)
    assert said in found
    assert bool(said) == bool(found)


def test_price_lists_are_those_that_the_log_publishes(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    second = price_list("second", "2025-01-01T00:00:00+03:00")
    paper = with_published((FIRST, timedelta()), (second, timedelta()))
    cheaper = second | {"debt_hour_price_kopecks": 1}
    paper.terms = json.dumps({"versions": [FIRST, cheaper]})
    assert "version 2 in terms.json" in findings_of(paper, tmp_path / "other", capsys)
    paper.terms = json.dumps({"versions": [FIRST, second, price_list("third", "2026-01-01T00:00:00+03:00")]})
    assert "does not publish" in findings_of(paper, tmp_path / "more", capsys)
    paper.terms = json.dumps({"versions": [FIRST]})
    assert "version 2 in terms.json" in findings_of(paper, tmp_path / "fewer", capsys)


def test_price_lists_are_published_by_who_is_entitled_to(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    second = price_list("second", "2025-01-01T00:00:00+03:00")
    together = with_published((FIRST, timedelta()), (second, timedelta()), actor="system-ledger")
    assert not findings_of(together, tmp_path / "together", capsys)
    later = with_published((FIRST, timedelta()), (second, HOUR), actor="key-stranger")
    assert "an actor entitled to it, found key-stranger" in findings_of(later, tmp_path / "later", capsys)
