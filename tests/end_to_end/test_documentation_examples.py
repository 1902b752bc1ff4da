"""Every conversation that README and docs/ show is had with a running Hourbook, in the order of the pages."""

import os
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from infra.data_folder import free_port
from services.access.caller import Caller
from services.operating.up import Hourbook, running
from tests.test_documentation import ROOT, blocks

CONVERSATIONS = ("README.md", "docs/integrating.md", "docs/auditing.md", "docs/operating.md", "docs/security.md")
SHOWN_ADDRESS = "http://127.0.0.1:8000"
# What the server refuses fails the example; while a read model is behind, it is asked again.
PREAMBLE = "set -euo pipefail\ncurl() { command curl --fail-with-body --retry 60 --noproxy '*' \"$@\"; }\n"


@pytest.fixture(scope="module")
def hourbook(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hourbook]:
    """Behind its door, in the sandbox, at the time that the examples were written for."""
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("HOURBOOK_ACCESS")
        with running(tmp_path_factory.mktemp("documentation"), free_port(), sandbox=True) as started:
            with Caller(started.url, started.key_file).client() as client:
                client.put("/v1/test-clock", json={"now": "2026-11-28T12:00:00+03:00"}).raise_for_status()
            yield started


@pytest.fixture(scope="module")
def folder(hourbook: Hourbook, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where a reader stands: `.venv/bin/hourbook` is there and speaks to this Hourbook, and `.hourbook` is its data."""
    folder = tmp_path_factory.mktemp("reader")
    assert hourbook.key_file
    (folder / ".hourbook").symlink_to(hourbook.key_file.parents[1])
    program = folder / ".venv" / "bin" / "hourbook"
    program.parent.mkdir(parents=True)
    program.write_text(f'#!/bin/sh\nexec {sys.executable} -m services "$@" --url {hourbook.url}\n')
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    return folder


def examples() -> list[str]:
    """Every block of shell that asks something of a running Hourbook; the others start it."""
    found = [text for page in CONVERSATIONS for text in blocks(ROOT / page, "sh")]
    return [text for text in found if "curl" in text or ".venv/bin/hourbook" in text]


def test_every_page_with_a_conversation_is_heard():
    pages = {page for page in (ROOT / "docs").rglob("*.md") if blocks(page, "sh")}
    assert pages <= {ROOT / page for page in CONVERSATIONS}


def test_what_the_pages_show_works(hourbook: Hourbook, folder: Path):
    script = PREAMBLE + "".join(f"(\n{example})\n" for example in examples()).replace(SHOWN_ADDRESS, hourbook.url)
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    environment = os.environ | {"PYTHONPATH": str(ROOT), "PATH": path}
    done = subprocess.run(
        ["bash", "-c", script], cwd=folder, env=environment, capture_output=True, text=True, check=False, timeout=200
    )
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
    assert (folder / "report.pdf").read_bytes().startswith(b"%PDF")
    assert "everything holds" in done.stdout
