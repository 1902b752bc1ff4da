"""The documentation comes from this address alone, and every document names the same program."""

import re
import tomllib
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
from uvicorn.importer import import_from_string

from contracts.events import EVENT_TYPES
from tests.published import document, nodes

PROJECT = Path(__file__).parents[2] / "pyproject.toml"


@pytest.fixture
async def client() -> AsyncIterator[httpx.AsyncClient]:
    """Nobody with a credential."""
    transport = httpx.ASGITransport(import_from_string("services.app:create_app")())
    async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as opened:
        yield opened


async def test_the_front_page_of_a_service_without_pages_leads_to_the_documentation():
    transport = httpx.ASGITransport(import_from_string("services.ledger.app:create_app")())
    async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as opened:
        answer = await opened.get("/", follow_redirects=True)
    assert (answer.status_code, answer.url.path) == (200, "/docs")


async def test_the_documentation_needs_no_internet_and_runs_no_script_of_the_page(client: httpx.AsyncClient):
    page = await client.get("/docs")
    assert page.headers["content-security-policy"].startswith("default-src 'self'")
    links = re.findall(r'(?:src|href)="([^"]+)"', page.text)
    assert len(links) > 4
    for link in links:
        assert "//" not in link
        answer = await client.get(f"/{link}")
        assert (answer.status_code, bool(answer.content)) == (200, True), link
    assert re.findall(r"<script(?! src=)|<style| style=| on\w+=", page.text) == []
    start = (await client.get("/docs/start.js")).text
    assert 'url: "openapi.json"' in start
    assert "//" not in start


@pytest.mark.parametrize("file", ["core.py", "redoc.standalone.js", "..%2Fcore.py", "%00"])
async def test_nothing_else_of_the_package_is_served(client: httpx.AsyncClient, file: str):
    assert (await client.get(f"/docs/{file}")).status_code == 404


async def test_the_asyncapi_document_stands_alone_and_has_every_event(client: httpx.AsyncClient):
    said = (await client.get("/asyncapi.json")).json()
    assert {*EVENT_TYPES, "AlertChange"} == said["components"]["messages"].keys()
    for node in nodes(said):
        if (reference := node.get("$ref")) is not None:
            found = said
            for step in reference.removeprefix("#/").split("/"):
                found = found[step]
    fields = [field for schema in said["components"]["schemas"].values() for field in schema["properties"].values()]
    assert fields
    assert all(field["description"] for field in fields)


async def test_every_document_names_the_version_of_the_program(client: httpx.AsyncClient):
    version = tomllib.loads(PROJECT.read_text(encoding="utf-8"))["project"]["version"]
    served = [(await client.get(path)).json()["info"]["version"] for path in ("/openapi.json", "/asyncapi.json")]
    assert {document()["info"]["version"], *served} == {version}
