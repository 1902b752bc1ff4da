"""`hourbook restored` on a data folder whose database was put back while nothing ran: it asks, and begins one epoch."""

import asyncio
import subprocess
import sys
from pathlib import Path

from infra.embedded_postgres import EmbeddedPostgres
from tests.conftest import reachable_folder
from tests.operating.ledger_at_work import LedgerAtWork


def restored(data: Path, *arguments: str, answer: str = "") -> subprocess.CompletedProcess[str]:
    """What it printed, and its exit code."""
    line = [sys.executable, "-m", "services", "restored", "--data", str(data), *arguments]
    return subprocess.run(line, input=answer, capture_output=True, text=True, check=False, timeout=200)


def copied(source: Path, target: Path) -> None:
    """With the owners of the files."""
    subprocess.run(["cp", "-a", str(source), str(target)], check=True)


def test_it_says_what_is_lost_asks_and_begins_an_epoch_once():
    with reachable_folder() as folder:
        data = folder / "data"
        database = data / "postgres" / "data"
        with EmbeddedPostgres(data / "postgres") as server:
            asyncio.run(LedgerAtWork(data, server).begin())
        copied(database, folder / "saved")
        with EmbeddedPostgres(data / "postgres") as server:
            asyncio.run(LedgerAtWork(data, server).close_tasks(range(3), "Анна"))
        database.rename(folder / "lost")
        copied(folder / "saved", database)

        refused = restored(data, answer="n\n")
        assert refused.returncode == 1, refused.stderr
        assert "log 0 ends at position 2, recorded at" in refused.stdout
        assert "positions 3 to 5, 3 events, are lost; of epoch 1, 5 events were signed at" in refused.stdout
        assert "Begin epoch 2 without what is lost?" in refused.stdout
        begun = restored(data, answer="y\n")
        assert (begun.returncode, "epoch 2 has begun" in begun.stdout) == (0, True), begun.stderr
        again = restored(data, "--yes")
        assert (again.returncode, "no log has gone back" in again.stdout) == (0, True), again.stdout + again.stderr

        with EmbeddedPostgres(data / "postgres") as server:
            asyncio.run(LedgerAtWork(data, server).close_tasks(range(3), "Анна"))
