"""`hourbook restored` on a data folder whose database was put back while nothing ran: it asks, and begins one epoch."""

import asyncio
import subprocess
import sys
from pathlib import Path

from infra.embedded_postgres import EmbeddedPostgres
from services.operating.backup.ledger_state import asked
from tests.conftest import reachable_folder
from tests.operating.ledger_at_work import LedgerAtWork

FORGED = "INSERT INTO ledger.lost_past VALUES (0, 7, 1000000)"
EPOCHS = "SELECT array_agg(number ORDER BY number) FROM ledger.epoch"


def restored(data: Path, *arguments: str, answer: str = "") -> subprocess.CompletedProcess[str]:
    """What it printed, and its exit code."""
    line = [sys.executable, "-m", "services", "restored", "--data", str(data), *arguments]
    return subprocess.run(line, input=answer, capture_output=True, text=True, check=False, timeout=200)


def copied(source: Path, target: Path) -> None:
    """With the owners of the files."""
    subprocess.run(["cp", "-a", str(source), str(target)], check=True)


async def told(url: str, statement: str) -> object:
    async with asked(url) as connection:
        return await connection.fetchval(statement)


def test_it_says_what_is_lost_asks_and_begins_an_epoch_for_each_restore():
    """And for none that nothing signed bears out: who has got the login of a part may write a notice."""
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
        assert "billing has gone back as well: numbers of invoices" in refused.stdout
        assert "Begin epoch 2 without what is lost?" in refused.stdout
        begun = restored(data, answer="y\n")
        assert (begun.returncode, "epoch 2 has begun" in begun.stdout) == (0, True), begun.stderr
        again = restored(data, "--yes")
        assert (again.returncode, "no log has gone back" in again.stdout) == (0, True), again.stdout + again.stderr

        with EmbeddedPostgres(data / "postgres") as server:
            asyncio.run(LedgerAtWork(data, server).close_tasks(range(4), "Анна"))
        database.rename(folder / "lost-too")
        copied(folder / "saved", database)
        # The database knows nothing of epoch 2: it is the signer who does.
        third = restored(data, "--yes")
        assert (third.returncode, "epoch 3 has begun" in third.stdout) == (0, True), third.stdout + third.stderr
        assert "positions 3 to 6, 4 events, are lost; of epoch 2, 6 events were signed at" in third.stdout
        with EmbeddedPostgres(data / "postgres") as server:
            asyncio.run(LedgerAtWork(data, server).close_tasks(range(5), "Анна"))

            asyncio.run(told(server.url, FORGED))
            unasked = restored(data, "--yes")
            assert (unasked.returncode, "Nothing that was signed shows that" in unasked.stderr) == (1, True), unasked
            assert "8 to 1000000, 999993 events, are lost; of epoch 3, 7 events were signed at" in unasked.stdout
            assert "of positions after 7 nothing is signed" in unasked.stdout
            dismissed = restored(data, "--dismiss")
            assert (dismissed.returncode, "is dismissed" in dismissed.stdout) == (0, True), dismissed.stderr
            asyncio.run(LedgerAtWork(data, server).close_tasks([7], "Анна"))
            assert asyncio.run(told(server.url, EPOCHS)) == [3]
