"""What the pages for people name is there: files, links, settings."""

import re
import tomllib
from pathlib import Path

import pytest

from services.billing.sending.texts import texts
from services.bitrix24.settings import connector
from services.documents.seller import seller
from services.operating.start_conditions import KNOWN
from services.projections.debt_alerts.webhooks import endpoints

ROOT = Path(__file__).resolve().parents[1]
PAGES = sorted([ROOT / "README.md", *(ROOT / "docs").rglob("*.md")])
NAMED_PATH = re.compile(r"`((?:services|contracts|tests|infra|docs)/[\w./-]+)`")
LINK = re.compile(r"\]\((?!https?:)([^)#]+)\)")
SETTING = re.compile(r"`([A-Z]+(?:_[A-Z0-9]+)+)(?:=\w+)?`")


def missing(text: str, folder: Path) -> list[str]:
    """The files that a page names and that are not there: links from its own folder, paths from the top."""
    links = [link for link in LINK.findall(text) if not (folder / link).exists()]
    return links + [path for path in NAMED_PATH.findall(text) if not (ROOT / path).exists()]


def blocks(page: Path, language: str) -> list[str]:
    """The page's examples in a language."""
    return re.findall(rf"```{language}\n(.*?)```", page.read_text(encoding="utf-8"), re.DOTALL)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_what_a_page_names_is_there(page: Path):
    assert not missing(page.read_text(encoding="utf-8"), page.parent)


def test_the_tests_and_modules_that_make_runs_are_there():
    text = (ROOT / "Makefile").read_text(encoding="utf-8")
    modules = [ROOT / name.replace(".", "/") for name in re.findall(r"-m (tests[\w.]+)", text)]
    runs = [*map(ROOT.joinpath, re.findall(r"\btests/[\w./-]*\w", text)), *modules]
    assert len(runs) > 20
    assert not [run for run in runs if not run.exists() and not run.with_suffix(".py").exists()]


def test_a_file_that_is_not_there_is_seen():
    assert missing("[x](nowhere.md) and `services/nowhere.py` and `docs/`", ROOT) == [
        "nowhere.md",
        "services/nowhere.py",
    ]


def test_every_setting_has_a_line_for_operators():
    described = set(SETTING.findall((ROOT / "docs" / "operating.md").read_text(encoding="utf-8")))
    assert not KNOWN - described


def test_the_files_that_operators_write_are_read_as_they_are_shown(tmp_path: Path):
    shown = blocks(ROOT / "docs" / "operating.md", "toml")
    read = {"party": seller, "endpoint": endpoints, "ru": texts, "webhook_file": connector}
    (tmp_path / "webhook.txt").write_text("https://portal.example/rest/1/secret/")
    assert len(shown) == len(read)
    for text in shown:
        file = tmp_path / "shown.toml"
        file.write_text(text, encoding="utf-8")
        assert read[next(iter(tomllib.loads(text)))](file)
