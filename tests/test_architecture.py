"""The rules of the house that a machine can hold: who may import whom, a pure domain, a tree without addresses."""

import ast
import re
import subprocess
import sys
from collections.abc import Container, Iterator, Mapping
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
OUTSIDE_WORLD = (
    {"asyncio", "concurrent", "http", "io", "multiprocessing", "os", "pathlib", "random", "secrets", "select"}
    | {"selectors", "shutil", "signal", "smtplib", "socket", "sqlite3", "ssl", "subprocess", "sys", "tempfile"}
    | {"threading", "time", "urllib", "uuid"}
)
PURE_LIBRARY = sys.stdlib_module_names - OUTSIDE_WORLD
IMPURE_CALLS = re.compile(r"(.+\.)?(now|utcnow|today|uuid[147]|time\.time|monotonic|perf_counter)")
IMPURE_NAMES = re.compile(r"(.+\.)?(datetime\.(now|utcnow|today)|date\.today)|open|input|print|__import__|exec|eval")
NAMES_THAT_SAY_NOTHING = {"utils", "util", "helpers", "helper", "common", "base", "manager", "service", "misc"}
SHARED = frozenset({"contracts", "services.process", "services.access"})
MAY_LEAD_TO = {
    "contracts": frozenset(),
    "infra": frozenset({"services.process"}),
    "services.process": frozenset({"contracts"}),
    "services.access": frozenset({"contracts", "services.process"}),
    "services.documents": SHARED,
    "services.bitrix24": SHARED,
    "services.onboarding": SHARED | {"services.documents"},
    "services.ledger.domain": frozenset({"contracts"}),
    "services.ledger": SHARED,
    "services.projections": SHARED | {"services.documents"},
    "services.billing": SHARED | {"services.documents"},
    "services.pages": frozenset({"contracts", "services.process", "services.documents"}),
    "services.eventsourcing_recorders": SHARED | {"services.ledger.event_store"},
}
"""The inner rooms, and where each may lead to: it imports nothing else, and no module it imports does."""
SCHEMAS = ("ledger", "projections", "billing")
HOME_FOLDER = re.compile(r"(?<![\w.-])/(?:home|Users|root)/[\w.]")


def imports(source: str, module: str = "") -> Iterator[str]:
    """Dotted names that the source imports, down to the name: `services.ledger.app`, `datetime.datetime`."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            package = module.split(".")[: -node.level] if node.level else []
            origin = ".".join([*package, *filter(None, [node.module])])
            yield from (f"{origin}.{alias.name}" for alias in node.names)


def within(name: str, package: str) -> bool:
    return name == package or name.startswith(f"{package}.")


def import_allowed(module: str, name: str) -> bool:
    """Whether a module may name this itself; where its imports lead to is `ways_to`'s business."""
    root, *rest = name.split(".")
    if root in {"contracts", "services", "infra"} and {"app", "__main__"} & set(rest):
        return False
    if within(module, "contracts"):
        return root in sys.stdlib_module_names or root in {"pydantic", "contracts"}
    if within(module, "services.ledger.domain"):
        return root in PURE_LIBRARY | {"pydantic", "immutables", "contracts"} or within(name, "services.ledger.domain")
    return True


def allowed_rooms(module: str) -> frozenset[str] | None:
    """The rooms that a module may lead to, directly or by way of others; None where it may lead anywhere."""
    found = next((room for room in MAY_LEAD_TO if within(module, room)), None)
    return MAY_LEAD_TO[found] | {found} if found else None


def import_graph(sources: Mapping[str, str]) -> dict[str, set[str]]:
    """Who imports whom among these modules. To import a module runs its packages first, so they are imported too."""
    packages = {module.rpartition(".")[0] for module in sources}
    return {
        module: {
            part
            for name in imports(source, f"{module}." if module in packages else module)
            for part in known_parts(name, sources)
        }
        for module, source in sources.items()
    }


def known_parts(name: str, known: Container[str]) -> Iterator[str]:
    """The modules that are run when a name is imported: `a`, `a.b` and `a.b.c`, as far as there are such modules."""
    parts = name.split(".")
    yield from (part for end in range(1, len(parts) + 1) if (part := ".".join(parts[:end])) in known)


def ways_to(graph: Mapping[str, set[str]]) -> Iterator[str]:
    """Every way by which a module leads out of the rooms it may lead to, as `a → b → c`."""
    for module in graph:
        rooms = allowed_rooms(module)
        if rooms is None:
            continue
        reached, waiting = {module}, [(module,)]
        while waiting:
            way = waiting.pop()
            for target in sorted(graph[way[-1]] - reached):
                reached.add(target)
                waiting.append((*way, target))
                if is_room(target) and not any(within(target, room) for room in rooms):
                    yield " → ".join((*way, target))


def is_room(module: str) -> bool:
    """Whether it stands for something: the packages around all rooms are empty."""
    return module not in {"services", "services.ledger"}


def impurities(source: str) -> Iterator[str]:
    """Uses of a clock, of chance or of files, by line."""
    for node in ast.walk(ast.parse(source)):
        calls = isinstance(node, ast.Call) and IMPURE_CALLS.fullmatch(ast.unparse(node.func))
        names = isinstance(node, ast.Name | ast.Attribute) and IMPURE_NAMES.fullmatch(ast.unparse(node))
        if calls or names:
            yield f"line {node.lineno}: {ast.unparse(node)}"


def modules(*packages: str) -> list[tuple[str, Path]]:
    """Every module under these folders, as its dotted name and its file."""
    files = sorted(file for package in packages for file in (ROOT / package).rglob("*.py"))
    return [(".".join(file.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"), file) for file in files]


def tree() -> list[Path]:
    """What git tracks or would track."""
    listing = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"]
    names = subprocess.run(listing, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    return [ROOT / name for name in names.split("\0") if name and (ROOT / name).is_file()]


def addresses(text: str) -> list[str]:
    """Places that only one machine has: a home folder."""
    return [line for line in text.splitlines() if HOME_FOLDER.search(line)]


def index_addresses(lock: str) -> list[str]:
    return [line for line in lock.splitlines() if re.search(r"://|index-url|find-links| @ |file:", line)]


def test_everybody_imports_only_what_they_may():
    found = modules("contracts", "services", "infra")
    assert len(found) > 10
    assert not [
        f"{module} imports {name}"
        for module, file in found
        for name in imports(file.read_text(encoding="utf-8"), module if file.stem != "__init__" else f"{module}.")
        if not import_allowed(module, name)
    ]


def sources() -> dict[str, str]:
    """The program: every module's text by its dotted name."""
    return {module: file.read_text(encoding="utf-8") for module, file in modules("contracts", "services", "infra")}


def test_no_room_leads_to_one_that_it_may_not_know():
    graph = import_graph(sources())
    assert sum(map(len, graph.values())) > 500
    assert not list(ways_to(graph))


@pytest.mark.parametrize(
    ("module", "line"),
    [
        ("services.projections.following.worker", "from services.auditing.auditor import Audit"),
        ("services.ledger.writing.pipeline", "from services.auditing.story import forms"),
        ("services.process.health", "from services.ledger.settings import Settings"),
        ("services.documents.formats", "from services.projections.balances import queries"),
        ("services.billing.running", "from services.ledger.domain import terms"),
        ("services.billing.hourbook", "from services.projections.balances import queries"),
        ("services.ledger.domain.account", "import services.process.stopping"),
        ("infra.embedded", "def f():\n    from services.operating import up"),
    ],
)
def test_a_back_door_is_seen(module: str, line: str):
    program = sources()
    assert module in program
    assert list(ways_to(import_graph(program | {module: f"{line}\n{program[module]}"})))


@pytest.mark.parametrize(
    ("room", "schema"),
    [(room, schema) for room in SCHEMAS for schema in SCHEMAS if room != schema],
)
def test_no_service_reads_the_other_ones_tables(room: str, schema: str):
    """They may stand in databases of their own; the views for dashboards are the projections' own."""
    statement = re.compile(rf"\b(?:from|join|into|update|table|function|select)\s+{schema}\.[a-z_]+", re.IGNORECASE)
    texts = {
        file: file.read_text(encoding="utf-8")
        for ending in ("*.py", "*.sql")
        for file in (ROOT / "services" / room).rglob(ending)
    }
    without_imports = {
        file: re.sub(r"^\s*(from|import) .*$", "", text, flags=re.MULTILINE) for file, text in texts.items()
    }
    assert not {str(file): found for file, text in without_imports.items() if (found := statement.findall(text))}


def test_nobody_but_its_own_recorders_imports_the_library_that_patches_dataclasses():
    recorders = "services.eventsourcing_recorders"
    found = modules("contracts", "services", "infra")
    importing = {
        module
        for module, file in found
        for name in imports(file.read_text(encoding="utf-8"), module)
        if within(name, "eventsourcing") or within(name, recorders)
    }
    assert importing
    assert not [module for module in importing if not within(module, recorders)]


def test_the_domain_has_no_clock_no_chance_and_no_files():
    found = modules("services/ledger/domain")
    assert found
    assert not [f"{module}, {use}" for module, file in found for use in impurities(file.read_text(encoding="utf-8"))]


def test_names_say_something():
    named = [module for module, _ in modules("contracts", "services", "infra", "tests")]
    assert not [module for module in named if NAMES_THAT_SAY_NOTHING & set(module.split("."))]


def test_no_file_names_a_home_folder():
    found = tree()
    assert ROOT / "pyproject.toml" in found
    assert not {
        str(file): lines for file in found if (lines := addresses(file.read_text(encoding="utf-8", errors="replace")))
    }


def test_no_merge_was_left_half_done():
    marks = re.compile(r"^(?:<{7} |>{7} )", re.MULTILINE)
    assert marks.search("<" * 7 + " HEAD")
    assert not [str(file) for file in tree() if marks.search(file.read_text(encoding="utf-8", errors="replace"))]


def test_the_lock_names_packages_and_no_addresses():
    assert not index_addresses((ROOT / "requirements.lock").read_text(encoding="utf-8"))


@pytest.mark.parametrize(
    ("module", "source"),
    [
        ("contracts.events", "import services.ledger.domain"),
        ("contracts.events", "from fastapi import FastAPI"),
        ("services.ledger.domain.lots", "import asyncpg"),
        ("services.ledger.domain.lots", "def f():\n    from time import monotonic"),
        ("services.ledger.domain.lots", "from services.ledger import handler"),
        ("services.ledger.domain.lots", "from .. import handler"),
        ("services.operating.up", "from services.ledger import app"),
        ("services.operating.up", "from services.ledger.app import create"),
        ("infra.embedded", "import services.__main__"),
    ],
)
def test_a_forbidden_import_is_seen(module: str, source: str):
    assert not all(import_allowed(module, name) for name in imports(source, module))


@pytest.mark.parametrize(
    ("module", "source"),
    [
        ("contracts.events", "from pydantic import BaseModel\nfrom .quantities import Minutes\nimport uuid"),
        ("services.ledger.domain.lots", "from datetime import datetime, time\nfrom immutables import Map"),
        ("services.ledger.domain.lots", "from contracts.events import Event\nfrom .terms import Terms"),
        ("services.ledger.writing.pipeline", "import asyncpg\nfrom services.ledger.domain import account"),
        ("services.projections.following.worker", "import contracts.events\nfrom services.projections import balances"),
    ],
)
def test_a_rightful_import_is_let_through(module: str, source: str):
    assert all(import_allowed(module, name) for name in imports(source, module))


@pytest.mark.parametrize(
    "source",
    [
        "at = datetime.now(UTC)",
        "at = datetime.datetime.utcnow()",
        "at: datetime = Field(default_factory=datetime.now)",
        "day = date.today()",
        "key = uuid4()",
        "key = uuid.uuid4()",
        "at = time.time()",
        "text = open(name).read()",
        "print(account)",
        "chosen = clock.now()",
    ],
)
def test_an_impure_domain_is_seen(source: str):
    assert list(impurities(source))


@pytest.mark.parametrize("source", ["at = context.now", "hour = at.time()", "due = now + day", "lot.opened()"])
def test_a_pure_domain_is_let_through(source: str):
    assert not list(impurities(source))


def test_an_address_of_one_machine_is_seen():
    assert addresses("see " + "/" + "home/somebody/notes")
    assert not addresses("see https://example.org/home/page and /etc/hosts")
    assert index_addresses("--index-url https://index.example/simple")
    assert index_addresses("some-package @ file:wheels/some.whl")
