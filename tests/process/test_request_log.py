"""Where lines of requests are written, and what becomes of them where that cannot be."""

import asyncio
import logging
from pathlib import Path

import orjson
import pytest

from services.process.metrics import REQUEST_LINES_LOST
from services.process.request_log import RequestLog

SCOPE = {"type": "http", "method": "GET", "path": "/a/secret/path"}
SECONDS_MAX = 60


async def written(file: Path, lines: int) -> list[bytes]:
    async with asyncio.timeout(SECONDS_MAX):
        while not file.exists() or len(file.read_bytes().splitlines()) < lines:
            await asyncio.sleep(0.01)
    return file.read_bytes().splitlines()


async def test_lines_come_by_themselves_in_order_and_are_for_their_owner_alone(tmp_path: Path):
    log = RequestLog(tmp_path / "requests.log")
    for number in range(3):
        log.add(SCOPE, str(number), 200, 0.001)
    lines = await written(tmp_path / "requests.log", 3)
    assert [orjson.loads(line)["request_id"] for line in lines] == ["0", "1", "2"]
    assert (tmp_path / "requests.log").stat().st_mode & 0o777 == 0o600


async def test_a_file_that_was_moved_away_is_begun_anew(tmp_path: Path):
    log = RequestLog(tmp_path / "requests.log")
    for number in range(2):
        log.add(SCOPE, str(number), 200, 0.001)
        await written(tmp_path / "requests.log", 1)
        (tmp_path / "requests.log").rename(tmp_path / f"requests.log.{number}")
    assert len(list(tmp_path.iterdir())) == 2


def test_without_a_file_they_go_to_standard_error(capfd: pytest.CaptureFixture[str]):
    async def add() -> None:
        log = RequestLog(None)
        log.add(SCOPE, "7", None, 0.001)
        log.write()

    asyncio.run(add())
    assert orjson.loads(capfd.readouterr().err)["status"] is None


async def test_what_cannot_be_written_is_counted_and_said_once(tmp_path: Path, caplog: pytest.LogCaptureFixture):
    log = RequestLog(tmp_path / "missing" / "requests.log")
    lost = REQUEST_LINES_LOST._value.get()
    for _ in range(2):
        log.add(SCOPE, "7", 200, 0.001)
        log.write()
    assert REQUEST_LINES_LOST._value.get() == lost + 2
    assert len([record for record in caplog.records if record.levelno == logging.WARNING]) == 1
    (tmp_path / "missing").mkdir()
    log.add(SCOPE, "8", 200, 0.001)
    log.write()
    assert len(await written(tmp_path / "missing" / "requests.log", 1)) == 1
