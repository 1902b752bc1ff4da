"""A read model is a room and one line in the catalogue: none is forgotten, neither its tables nor its routes."""

from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from types import ModuleType

import services.projections
from services.app import create_app as create_joined
from services.projections.app import create_api
from services.projections.catalogue import PROJECTIONS
from services.projections.following.tracking import Projection

ROOMS = Path(services.projections.__file__).parent


def modules(name: str) -> Iterator[ModuleType]:
    """Those of that file name, of every room."""
    for file in sorted(ROOMS.rglob(name)):
        inside = file.relative_to(ROOMS).with_suffix("").parts
        yield import_module(".".join(["services.projections", *inside]).removesuffix(".__init__"))


def test_every_projection_of_a_room_is_in_the_catalogue():
    made = {
        each.name for room in modules("__init__.py") for each in vars(room).values() if isinstance(each, Projection)
    }
    assert made == {each.name for each in PROJECTIONS}


def test_every_route_of_a_room_is_served():
    offered = {(route.path, *route.methods) for room in modules("*/routes.py") for route in room.router.routes}
    assert len(offered) > 10
    for application in (create_joined(), create_api()):
        assert not offered - {(route.path, *getattr(route, "methods", ())) for route in application.routes}
