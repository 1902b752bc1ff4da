"""The decider with one rule changed: a copy of the domain's sources with another text in one place."""

import importlib
import sys
import tomllib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from types import ModuleType

import services.ledger.domain
from contracts.commands import Command
from contracts.events import Event
from services.ledger.domain.account import Account
from services.ledger.domain.refusals import Refusal
from services.ledger.domain.terms import Terms

MUTANTS_FILE = Path(__file__).with_name("mutants.toml")
DOMAIN = "services.ledger.domain"
SOURCES = Path(services.ledger.domain.__file__).parent
RECORDED = "            self.events.append(event)\n"
NO_END = f'{RECORDED}            assert len(self.events) < 1000, "this decider comes to no end"\n'
SHARED = ("refusals", "terms")
"""Not copied: what is handed in from outside, or caught there."""


@dataclass(frozen=True)
class Mutant:
    """A rule that is broken: where in the sources, what stands there, and what stands there instead."""

    rule: str
    fault: str
    file: str
    old: str
    new: str
    first_edition: bool = False
    """Whether it is what the first edition of the rules said."""
    unseen: str | None = None
    """Why no log shows it, if none can."""

    @property
    def name(self) -> str:
        """For the report of a test."""
        return f"{self.rule} {self.fault}"


def mutants() -> list[Mutant]:
    """Those of mutants.toml."""
    return [Mutant(**given) for given in tomllib.loads(MUTANTS_FILE.read_text("utf-8"))["mutant"]]


@dataclass(frozen=True)
class Asked:
    """A command, or (without one) time that passes, when it was recorded and what it came to."""

    command: Command | None
    now: datetime
    events: tuple[Event, ...]


class Decider:
    """Decides an account's commands by some copy of the domain."""

    def __init__(self, account: ModuleType, terms: Terms) -> None:
        self._domain = account
        self._terms = terms

    def answers(self, history: list[Asked], so_far: Account | None = None) -> Iterator[tuple[Event, ...]]:
        """What each command comes to; nothing where it is refused, or where this decider cannot go on.

        `so_far` is an account of the true domain that they go on with.
        """
        account = so_far or self._domain.Account("mutant")
        for asked in history:
            events: tuple[Event, ...] = ()
            try:
                if asked.command is None:
                    events = self._domain.due(account, asked.now)
                    account = self._domain.fold(account, events)
                else:
                    course = self._domain.course_of(asked.command, account, self._terms, asked.now)
                    account, events = course.account, tuple(course.events)
            except (Refusal, AssertionError, ArithmeticError, LookupError, TypeError, ValueError, StopIteration):
                events = ()
            yield events


@contextmanager
def mutated(broken: Sequence[Mutant], folder: Path, terms: Terms) -> Iterator[Decider]:
    """The decider with those rules broken, for the time of the context."""
    package = f"mutated_{abs(hash(tuple(broken))):x}"
    (folder / package).mkdir()
    for source in SOURCES.glob("*.py"):
        text = source.read_text("utf-8")
        for mutant in broken:
            if source.stem == mutant.file:
                times = text.count(mutant.old)
                assert times == 1, f"{mutant.name}: {mutant.old!r} stands {times} times"
                text = text.replace(mutant.old, mutant.new)
        if source.stem == "course":
            assert RECORDED in text
            text = text.replace(RECORDED, NO_END)
        if source.stem not in SHARED:
            for other in SOURCES.glob("*.py"):
                if other.stem not in SHARED:
                    text = text.replace(f"from {DOMAIN}.{other.stem} import", f"from {package}.{other.stem} import")
            (folder / package / source.name).write_text(text, "utf-8")
    sys.path.insert(0, str(folder))
    try:
        yield Decider(importlib.import_module(f"{package}.account"), terms)
    finally:
        sys.path.remove(str(folder))
        for name in [name for name in sys.modules if name.partition(".")[0] == package]:
            del sys.modules[name]
