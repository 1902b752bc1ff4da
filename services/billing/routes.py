"""Every route of billing: those of its rooms, side by side."""

from starlette.routing import BaseRoute

ROUTES: list[BaseRoute] = []
