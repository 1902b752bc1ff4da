"""The export that is a page, opened from disk in Chromium with no network: it verifies, and gives every balance."""

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page
from typer.testing import CliRunner

from services.__main__ import cli
from services.auditing.page_export import at_most, packed, page
from services.process.operator_error import OperatorError
from tests.auditing.paper_log import LEDGER_ID, Paper, Row, small_paper
from tests.auditing.test_samples import SAMPLES, expected, paper_of
from tests.pages.alone import offline_page

BALANCES = "(asked) => asked.map(([account, asOf, knownAt]) => balanceOf(account, asOf, knownAt))"


@pytest.fixture(scope="module")
def chromium() -> Iterator[Page]:
    """A page of a Chromium that is offline; whatever it would ask of a network is a failure."""
    asked: list[str] = []
    with offline_page() as opened:
        opened.on("request", lambda request: asked.append(request.url))
        yield opened
    assert {url.partition(":")[0] for url in asked} <= {"file"}


def written(paper: Paper, file: Path, rows: list[Row] | None = None) -> Path:
    """The page of a log on paper; `rows`: those that are told in place of its own."""
    said = {
        "ledger_id": LEDGER_ID,
        "keys": [key["note"] for key in json.loads(paper.keys_document())["keys"]],
        "logs": [{"log": 0, "checkpoint": paper.checkpoint(len(paper.rows))}],
    }
    parts = [packed("log-0", [row.line() for row in rows or paper.rows])]
    file.write_text(page(said, parts), "utf-8")
    return file


def opened(chromium: Page, file: Path) -> bool:
    """Whether the page has verified all that it carries."""
    chromium.goto(file.as_uri())
    chromium.wait_for_selector("body[data-verified]")
    return chromium.get_attribute("body", "data-verified") == "true"


@pytest.mark.parametrize("name", SAMPLES)
def test_the_page_gives_every_balance_that_the_model_expects(chromium: Page, name: str, tmp_path: Path):
    assert opened(chromium, written(paper_of(name), tmp_path / "page.html"))
    asked = [
        (account_id, each["as_of"], "", each["balance_minutes"])
        for account_id, account in expected(name)["accounts"].items()
        for each in account["balances"]
    ]
    assert len(asked) > 500
    found = [each["balance"] for each in chromium.evaluate(BALANCES, [each[:3] for each in asked])]
    assert found == [balance for *_, balance in asked]


def other_minutes(rows: list[Row]) -> list[Row]:
    """A purchase is larger than it was."""
    at = next(row for row in rows if row.type == "PackagePurchased")
    data = json.loads(at.data)
    more = at.data.replace(f'"minutes":{data["minutes"]}', f'"minutes":{data["minutes"] + 60}', 1)
    return [replace(row, data=more) if row is at else row for row in rows]


def one_missing(rows: list[Row]) -> list[Row]:
    return rows[:-1]


def one_more(rows: list[Row]) -> list[Row]:
    return [*rows, replace(rows[-1], position=len(rows) + 1, version=rows[-1].version + 1)]


def two_exchanged(rows: list[Row]) -> list[Row]:
    first, second, *rest = rows
    return [replace(second, position=1), replace(first, position=2), *rest]


def one_twice(rows: list[Row]) -> list[Row]:
    return [*rows, rows[0]]


def another_actor(rows: list[Row]) -> list[Row]:
    return [*rows[:-1], replace(rows[-1], actor="key-of-a-stranger")]


@pytest.mark.parametrize("forged", [other_minutes, one_missing, one_more, two_exchanged, one_twice, another_actor])
def test_a_page_whose_lines_are_not_those_that_were_signed_says_so(
    chromium: Page, forged: Callable[[list[Row]], list[Row]], tmp_path: Path
):
    paper = small_paper()
    assert opened(chromium, written(paper, tmp_path / "true.html"))
    assert not opened(chromium, written(paper, tmp_path / "forged.html", forged(paper.rows)))
    chromium.get_by_role("button", name="English").click()
    assert "WRONG" in chromium.inner_text("#verdict")
    chromium.get_by_role("button", name="Show").click()
    assert "NOT to be relied on" in chromium.inner_text("#balance")


def test_a_balance_is_replayed_by_the_keyboard_in_both_languages(chromium: Page, tmp_path: Path):
    paper = small_paper()
    assert opened(chromium, written(paper, tmp_path / "page.html"))
    chromium.get_by_label("По записям до").fill("3")
    chromium.keyboard.press("Enter")
    assert "Баланс: " in chromium.inner_text("#balance")
    assert chromium.locator("#balance table").last.locator("tbody tr").count() == 3
    chromium.get_by_role("button", name="English").focus()
    chromium.keyboard.press("Enter")
    assert "Balance: " in chromium.inner_text("#balance")
    assert chromium.get_attribute("html", "lang") == "en"
    chromium.get_by_label("As known at").fill("")
    chromium.keyboard.press("Enter")
    assert "₽63,800.00" in chromium.inner_text("#balance")
    chromium.get_by_label("As of").fill("yesterday")
    chromium.keyboard.press("Enter")
    assert "A time is not written" in chromium.inner_text("#balance")


def test_what_a_reader_holds_is_compared_with_the_page(chromium: Page, tmp_path: Path):
    """A receipt and a checkpoint of this log hold; one of another past, by the same key, is called that."""
    paper, other = small_paper(), small_paper()
    other.rows[0] = replace(other.rows[0], command_id="another")
    assert opened(chromium, written(paper, tmp_path / "page.html"))
    chromium.get_by_role("button", name="English").click()
    kept = {
        "receipt": (paper.receipt(paper.rows[1]), "All events of the receipt are in this log"),
        "checkpoint": (paper.checkpoint(3), "The log contains this tree of 3 events"),
        "other-checkpoint": (other.checkpoint(3), "THE PAST WAS CHANGED"),
        "other-receipt": (other.receipt(other.rows[0]), "NOT in this log"),
        "edited": (paper.receipt(paper.rows[1]).replace('"log": 0', '"log": 1'), "Not genuine"),
        "nothing": ("hello", "no signed note"),
    }
    for name, (text, said) in kept.items():
        (tmp_path / name).write_text(text, "utf-8")
        chromium.set_input_files("#file", tmp_path / name)
        chromium.locator("#compared").get_by_text(said).first.wait_for()


def test_the_page_has_no_fault_that_axe_finds(chromium: Page, tmp_path: Path):
    assert opened(chromium, written(small_paper(), tmp_path / "page.html"))
    chromium.get_by_role("button", name="Показать").click()
    assert [fault["id"] for fault in Axe().run(chromium).response["violations"]] == []


@pytest.mark.parametrize(
    ("options", "remedy"),
    [
        (["--page", "p.html", "--log", "0"], "give --page with --account alone"),
        (["--page", "p.html", "--output", "o"], "give --page with --account alone"),
        (["--account", "oka"], "give it with --page"),
    ],
)
def test_options_that_do_not_go_together_are_named(options: list[str], remedy: str):
    told = CliRunner().invoke(cli, ["export", *options], env={"COLUMNS": "200", "NO_COLOR": "1", "TERM": "dumb"})
    assert told.exit_code == 2
    assert remedy in told.output


def test_a_page_that_would_be_too_large_is_refused_with_the_remedy():
    assert at_most(iter([b"1", b"2"]), 2) == [b"1", b"2"]
    with pytest.raises(OperatorError, match="--account"):
        at_most(iter([b"1", b"2", b"3"]), 2)
