"""The published documents are those that models and routes make."""

import pytest
from uvicorn.importer import import_from_string

from services.operating.schemas import SCHEMAS, documents


@pytest.fixture(scope="module")
def made() -> dict[str, str]:
    return documents(import_from_string("services.app:create_app")().openapi())


def test_every_document_is_up_to_date(made: dict[str, str]):
    stale = [name for name, text in made.items() if (SCHEMAS / name).read_text(encoding="utf-8") != text]
    assert stale == [], "run `.venv/bin/hourbook schemas` and look at what changed for those who rely on it"


def test_nothing_else_is_published(made: dict[str, str]):
    assert {file.name for file in SCHEMAS.iterdir()} == set(made)
