"""The published documents say everything that those who build on them need; fields by contracts/meanings.toml."""

import json
import tomllib
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from openapi_spec_validator import OpenAPIV31SpecValidator
from uvicorn.importer import import_from_string

import contracts
from contracts.problem_types import CATALOGUE
from services.operating.schemas import documents
from services.process.meanings import UNITS
from services.process.version import VERSION
from tests.published import METHODS, document, fits, nodes

VERBS = {
    "list", "get", "read", "stream", "replay", "record", "explain", "make", "rotate", "revoke",
    "open", "purchase", "refund", "close", "correct", "mark", "reopen", "pay", "suspend", "resume", "set", "erase",
    "plan", "drop", "change", "publish", "issue", "withdraw", "send", "accept",
}  # fmt: skip
NEVER_IN_A_DOCUMENT = {"method-not-allowed"}
"""Answered only to methods that no operation has."""

SCALARS = {"integer", "number", "string", "boolean"}
PROBLEM = "application/problem+json"
MEANINGS = tomllib.loads(Path(contracts.__file__).with_name("meanings.toml").read_text(encoding="utf-8"))


def operations() -> Iterator[dict[str, Any]]:
    for path in document()["paths"].values():
        yield from (path[method] for method in METHODS if method in path)


def fields() -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Of every model of every document."""
    models = dict(document()["components"]["schemas"])
    for name, text in documents({}).items():
        models |= json.loads(text).get("$defs", {}) if name.endswith(".schema.json") else {}
    for model, schema in models.items():
        yield from ((model, name, field) for name, field in schema.get("properties", {}).items())


def test_the_document_is_valid_openapi_3_1():
    served = document()
    assert served["openapi"].startswith("3.1")
    OpenAPIV31SpecValidator(json.loads(json.dumps(served))).validate()


@pytest.mark.parametrize("application", ["ledger.app:create_app", "projections.app:create_api"])
def test_a_part_documents_its_routes_as_the_whole_does(application: str):
    part, whole = import_from_string(f"services.{application}")().openapi(), document()
    assert {**part, "info": 0, "paths": 0, "components": 0}.keys() == {**whole, "info": 0}.keys()
    for name, routes in part["paths"].items():
        assert routes == {method: whole["paths"][name][method] for method in routes}, name
    for kind, components in part["components"].items():
        assert components == {name: whole["components"][kind][name] for name in components}, kind


def test_every_reference_leads_somewhere():
    for node in nodes(document()):
        if (reference := node.get("$ref")) is not None:
            found: Any = document()
            assert reference.startswith("#/"), reference
            for step in reference.removeprefix("#/").split("/"):
                found = found[step]


def test_the_document_names_the_program_its_server_and_its_parts():
    said = document()
    assert (said["info"]["title"], said["info"]["version"]) == ("Hourbook", VERSION)
    assert said["info"]["description"]
    assert [server["url"] for server in said["servers"]] == ["/"]
    named = {tag["name"] for tag in said["tags"] if tag["description"]}
    assert named == {tag for operation in operations() for tag in operation["tags"]}


def test_every_operation_says_in_words_what_it_does_and_has_a_verb_for_a_name():
    names = Counter(operation["operationId"] for operation in operations())
    assert max(names.values()) == 1
    assert {name for name in names if name.partition("_")[0] not in VERBS} == set()
    for operation in operations():
        assert len(operation["tags"]) == 1
        assert operation["summary"]
        assert operation["description"].startswith(operation["summary"].partition("\n")[0][:20])


def test_every_answer_has_words_and_what_it_is_made_of():
    for operation in operations():
        of = operation["operationId"]
        assert any(status.startswith("2") for status in operation["responses"]), of
        for status, answer in operation["responses"].items():
            assert answer["description"], (of, status)
            assert answer["description"] != "Successful Response", (of, status)
            assert answer["content"], (of, status)
            assert all(content["schema"] for content in answer["content"].values()), (of, status)
            assert all(header["description"] for header in answer.get("headers", {}).values()), (of, status)
            if not status.startswith("2"):
                assert list(answer["content"]) == [PROBLEM], (of, status)
            assert ("Retry-After" in answer.get("headers", {})) == (status in ("429", "503")), (of, status)


def test_every_problem_of_the_catalogue_is_declared_where_it_can_be_met():
    declared = {
        slug
        for operation in operations()
        for answer in operation["responses"].values()
        for slug in answer["content"].get(PROBLEM, {}).get("examples", ())
    }
    assert declared == CATALOGUE.keys() - NEVER_IN_A_DOCUMENT
    for example in document()["components"]["examples"].values():
        assert not fits(example["value"], {"$ref": "#/components/schemas/Problem"})


def test_what_is_behind_the_door_says_so_and_what_is_for_everybody_does_not():
    for operation in operations():
        for_everybody = operation["tags"] == ["problems"]
        assert ("security" in operation) != for_everybody
        assert ("401" in operation["responses"]) != for_everybody


def test_every_field_has_a_meaning_its_unit_and_an_example_that_fits():
    silent = sorted({name for _, name, field in fields() if not field.get("description")})
    assert silent == [], "give each a line in contracts/meanings.toml"
    for model, name, field in fields():
        if (unit := _unit(name, field)) is not None:
            assert unit in field["description"], (model, name)
        for example in field.get("examples", ()):
            if "$ref" not in json.dumps(field):
                assert not fits(example, field), (model, name)


def _unit(name: str, field: dict[str, Any]) -> str | None:
    kinds = [field, *field.get("anyOf", ())]
    if any(kind.get("format") == "date-time" for kind in kinds):
        return "RFC 3339"
    if any(kind.get("type") in ("integer", "string") for kind in kinds):
        return next((unit for word, unit in UNITS.items() if word in name.split("_")), None)
    return None


def test_every_scalar_field_has_an_example():
    silent = {
        name
        for _, name, field in fields()
        if {kind.get("type") for kind in [field, *field.get("anyOf", ())]} & SCALARS
        and "const" not in field
        and not field.get("examples")
    }
    assert silent == set(), "give each an example in contracts/meanings.toml"


def test_every_parameter_has_a_meaning_and_an_example_that_fits():
    for operation in operations():
        for parameter in operation.get("parameters", ()):
            of = (operation["operationId"], parameter["name"])
            assert parameter.get("description"), f"give {of} a line in contracts/meanings.toml"
            assert "example" in parameter, of
            assert not fits(parameter["example"], parameter["schema"]), of


@pytest.mark.parametrize("section", ["fields", "parameters", "headers"])
def test_no_meaning_is_left_of_what_is_gone(section: str):
    text = json.dumps(document()) + "".join(documents({}).values())
    gone = [name for name in MEANINGS[section] if any(f'"{part}"' not in text for part in name.split("."))]
    assert gone == []
