"""A story of the ledger's own domain, as the tasks projection explains it."""

from contracts.tasks import TaskExplanation
from services.documents import Lang
from services.projections.tasks.explanation import explain
from services.projections.tasks.packages import Fact, Packages
from services.projections.tasks.projection import PACKAGES, subjects
from tests.ledger.vocabulary import Story


def explained(story: Story, task_id: str = "T-1", lang: Lang = "ru") -> TaskExplanation:
    """The task, as everything recorded in the story explains it."""
    return all_explained(story, lang)[task_id]


def all_explained(story: Story, lang: Lang = "ru") -> dict[str, TaskExplanation]:
    """Every task of the story."""
    facts: dict[str | None, list[Fact]] = {PACKAGES: []}
    for position, line in enumerate(story.recorded, 1):
        for about, event in subjects(line.event()):
            facts.setdefault(about, []).append(Fact(position, line.recorded_at, event))
    packages = Packages(facts.pop(PACKAGES))
    return {
        task_id: explain(
            known, packages, lang, account_id="romashka", task_id=task_id, known_at=None, position=len(story.recorded)
        )
        for task_id, known in facts.items()
        if task_id
    }


def text(story: Story, task_id: str = "T-1", lang: Lang = "ru") -> str:
    """The explanation with plain spaces."""
    return explained(story, task_id, lang).explanation.replace("\N{NO-BREAK SPACE}", " ")
