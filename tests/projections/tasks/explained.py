"""A story of the ledger's own domain, as the tasks projection explains it."""

from typing import Any

from contracts.tasks import TaskExplanation
from services.projections.documents import Lang
from services.projections.tasks.explanation import explain
from services.projections.tasks.packages import Fact, Packages
from services.projections.tasks.projection import PACKAGES, subjects
from tests.ledger.vocabulary import Story


def explained(story: Story, task_id: str = "T-1", lang: Lang = "ru") -> TaskExplanation:
    """The task, as everything recorded in the story explains it."""
    facts: dict[str | None, list[Fact]] = {PACKAGES: []}
    for line in story.recorded:
        for about, event in subjects(line.event()):
            assert line.position is not None
            facts.setdefault(about, []).append(Fact(line.position, line.recorded_at, event))
    which: dict[str, Any] = {"account_id": "romashka", "task_id": task_id, "known_at": None, "position": 99}
    return explain(facts[task_id], Packages(facts[PACKAGES]), lang, **which)


def text(story: Story, task_id: str = "T-1", lang: Lang = "ru") -> str:
    """The explanation with plain spaces."""
    return explained(story, task_id, lang).explanation.replace("\N{NO-BREAK SPACE}", " ")
