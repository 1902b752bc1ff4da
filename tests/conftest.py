"""Real servers for the tests: one PostgreSQL and one NATS for each pytest worker, an empty database for each test.

With DATABASE_URL or NATS_URL set, the tests use those servers; the user needs the right to create databases.
"""

import os
import shutil
import sys
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from uuid import uuid4

import asyncpg
import pytest
from httpx._transports import default as transports
from hypothesis import settings

from infra.embedded import EmbeddedNats, EmbeddedPostgres
from tests.databases import Databases

# How hard Hypothesis tries: `make campaign` runs thousands of new histories, the suite always the same ones.
settings.register_profile("suite", max_examples=100, derandomize=True, deadline=None, database=None, print_blob=True)
settings.register_profile("campaign", max_examples=5_000, deadline=None, database=None, print_blob=True)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "suite"))

# Tests of other things have no door; those of the door close it.
os.environ.setdefault("HOURBOOK_ACCESS", "open")

# Hundreds of programs are started here, and each worker reads all tests: what they import is compiled once.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
sys.dont_write_bytecode = False

# jsonschema would read 38 grammars of addresses in any script, for a second or two; no schema here has such a format.
sys.modules["rfc3987_syntax"] = None  # pyright: ignore[reportArgumentType]

# Each client of httpx would read the certificates of all authorities, 20 ms each time: once is enough.
transports.create_ssl_context = cache(transports.create_ssl_context)

MEMORY = Path("/dev/shm")
MEMORY_BYTES_MIN = 6 << 30

# What tests lay down lives in memory where a machine has enough: servers wait for the disk as they do elsewhere, and
# a disk of memory answers at once. TMPDIR names another place.
if "TMPDIR" not in os.environ and MEMORY.is_dir() and shutil.disk_usage(MEMORY).free >= MEMORY_BYTES_MIN:
    tempfile.tempdir = str(MEMORY)

LONGEST = ("end_to_end", "reliability")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The longest files first, so that no worker is left with one of them when the others have nothing to do."""
    items.sort(key=lambda item: LONGEST.index(item.path.parent.name) if item.path.parent.name in LONGEST else 9)


@dataclass(frozen=True)
class RunningServer:
    """A server that somebody else looks after."""

    url: str


@contextmanager
def reachable_folder() -> Iterator[Path]:
    """A folder that PostgreSQL can reach even when the tests run as root: pytest's own are closed to other users."""
    with tempfile.TemporaryDirectory(prefix="hourbook-") as name:
        folder = Path(name)
        folder.chmod(0o711)
        yield folder


@pytest.fixture
def server_folder() -> Iterator[Path]:
    """For a test that starts, stops and kills servers of its own."""
    with reachable_folder() as folder:
        yield folder


@pytest.fixture(scope="session")
def postgres() -> Iterator[EmbeddedPostgres | RunningServer]:
    """Shared: never stop or kill it. Its own database stays empty; tests take `database_url`."""
    if url := os.environ.get("DATABASE_URL"):
        yield RunningServer(url)
        return
    with reachable_folder() as folder, EmbeddedPostgres(folder) as server:
        yield server


@pytest.fixture(scope="session")
def nats() -> Iterator[EmbeddedNats | RunningServer]:
    """Shared: never stop or kill it."""
    if url := os.environ.get("NATS_URL"):
        yield RunningServer(url)
        return
    with reachable_folder() as folder, EmbeddedNats(folder) as server:
        yield server


@pytest.fixture(scope="session")
async def databases(postgres: EmbeddedPostgres | RunningServer) -> AsyncIterator[Databases]:
    """Where tests take databases from."""
    if isinstance(postgres, EmbeddedPostgres):
        await _let_in_cheaply(postgres)
    made = Databases(postgres.url)
    yield made
    await made.drop()


async def _let_in_cheaply(server: EmbeddedPostgres) -> None:
    """Check the same password by one round of hashing instead of 4,096: tests log in tens of thousands of times."""
    connection = await asyncpg.connect(server.url)
    try:
        await connection.execute("SET scram_iterations = 1")
        await connection.execute(f"ALTER ROLE hourbook PASSWORD '{server.folder.password()}'")
    finally:
        await connection.close()


@pytest.fixture
async def database_url(databases: Databases) -> AsyncIterator[str]:
    """A database of the test's own, empty; whoever is still connected afterwards is cut off."""
    async with databases.empty() as url:
        yield url


@pytest.fixture(scope="module")
async def file_database_url(databases: Databases) -> AsyncIterator[str]:
    """A database for the tests of a file."""
    async with databases.empty() as url:
        yield url


@pytest.fixture
def nats_url(nats: EmbeddedNats | RunningServer) -> str:
    """The server is shared between tests: take a `log_name` for streams of the test's own."""
    return nats.url


@pytest.fixture
def log_name() -> str:
    """A log that no other test knows, and so a stream of the test's own."""
    return f"test-{uuid4().hex}"
