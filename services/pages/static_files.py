"""Styles, scripts and pictures, from the package: their address names their content, so browsers keep them for ever."""

from functools import cache
from hashlib import sha256
from pathlib import Path

from starlette.responses import FileResponse, Response

from services.pages.errors import NothingHere
from services.pages.page import Page
from services.pages.visit import Visit

FOLDER = Path(__file__).with_name("static")
FOR_EVER = "public, max-age=31536000, immutable"


@cache
def _files() -> dict[str, Path]:
    return {str(file.relative_to(FOLDER)): file for file in sorted(FOLDER.rglob("*")) if file.is_file()}


@cache
def edition() -> str:
    """One for all files, so that a script finds another by its relative name."""
    content = b"\0".join(name.encode() + b"\0" + file.read_bytes() for name, file in _files().items())
    return sha256(content).hexdigest()[:12]


def address_of(file: str) -> str:
    """Where a page finds a file of ours."""
    assert file in _files(), file
    return f"/static/{edition()}/{file}"


async def show_file(visit: Visit) -> Response:
    """The file as it is now; for a page of an earlier edition too, which must not keep it then."""
    asked = visit.request.path_params
    file = _files().get(asked["file"])
    if file is None:
        raise NothingHere
    return FileResponse(file, headers={"Cache-Control": FOR_EVER if asked["edition"] == edition() else "no-cache"})


PAGE = Page("/static/{edition}/{file:path}", show=show_file, public=True)
