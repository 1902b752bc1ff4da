"""RULEBOOK.md is what an auditor has of the rules: it holds every one that code and findings name."""

import re
from pathlib import Path

import services.ledger.domain
from contracts.problem_types import CATALOGUE
from services.auditing.export import SHIPPED_FILES
from services.auditing.handed_out import verify
from services.ledger.settings import terms
from tests.auditing.mutated_decider import mutants

HANDED_OUT = Path(verify.__file__).parent
RULEBOOK = (HANDED_OUT / "RULEBOOK.md").read_text("utf-8")
NUMBER = r"\d+(?:\.\d+)?"
NAMED = re.compile(rf"\b[Rr]ules? ({NUMBER}(?:(?:, | and | or | to ){NUMBER})*)")


def named_in(text: str) -> set[str]:
    return {number for found in NAMED.findall(text) for number in re.findall(NUMBER, found)}


def test_every_rule_that_is_named_stands_in_the_rulebook():
    domain = Path(services.ledger.domain.__file__).parent
    texts = [file.read_text("utf-8") for file in (*domain.rglob("*.py"), *HANDED_OUT.iterdir()) if file.is_file()]
    named = {mutant.rule for mutant in mutants()}.union(*map(named_in, texts))
    written = set(re.findall(r"^(\d+\.\d+) ", RULEBOOK, re.MULTILINE))
    written |= set(re.findall(r"^## (\d+)\. ", RULEBOOK, re.MULTILINE))
    assert {"6.2", "8.5", "10.1", "12"} <= named
    assert named <= written


def test_the_rulebook_names_problems_and_plans_as_they_are():
    slugs = set(re.findall(r"`([a-z]+(?:-[a-z]+)+)`", RULEBOOK))
    assert "task-not-closed" in slugs <= CATALOGUE.keys() | {"hours-20"}
    for plan in terms().versions[0].plans.values():
        figures = (plan.minutes, plan.hour_price_kopecks // 100, plan.validity_months, plan.price_kopecks // 100)
        assert (
            " | ".join(
                (plan.name, *(f"{figure:,}".replace(",", " ") if figure > 9999 else f"{figure}" for figure in figures))
            )
            in RULEBOOK
        )


def test_the_rulebook_is_in_every_export():
    assert {"RULEBOOK.md", "FORMAT.md", "events.schema.json", "verify.py"} <= {file.name for file in SHIPPED_FILES}
    assert all(verify.KNOWN_FILES.fullmatch(file.name) for file in SHIPPED_FILES)


def test_the_rulebook_says_which_rules_were_others_by_the_first_edition():
    told = RULEBOOK.partition("By the first:\n")[2].partition("\n## ")[0]
    assert set(re.findall(r"^- (\d+\.\d+): ", told, re.MULTILINE)) == {
        mutant.rule for mutant in mutants() if mutant.first_edition
    }
    since = set(re.findall(r"\((\d+(?:\.\d+)?)\)", told))
    assert since <= set(re.findall(r"^(?:## )?(\d+(?:\.\d+)?)\.? ", RULEBOOK, re.MULTILINE))
