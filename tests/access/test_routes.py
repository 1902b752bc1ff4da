"""Every route of every application says what it needs."""

import pytest
from fastapi import FastAPI

from contracts.commands import COMMAND
from services.access.guard import routes_without_need, table
from services.access.rights import RIGHT_OF_COMMAND
from services.app import create_app as create_joined
from services.ledger.app import create_api as create_ledger
from services.projections.app import create_api as create_projections


@pytest.mark.parametrize("create", [create_joined, create_ledger, create_projections])
def test_no_route_is_silent(create):
    app: FastAPI = create()
    assert not list(routes_without_need(app))
    assert len(table(app)) >= 20


def test_every_command_needs_the_right_of_its_route():
    commands = {
        command["properties"]["command"]["const"]: command["title"]
        for command in COMMAND.json_schema()["$defs"].values()
        if "command" in command.get("properties", {})
    }
    assert set(commands) == set(RIGHT_OF_COMMAND)
