"""The frame around every page: its head, the menu by the person's rights, languages and appearances."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from services.pages import preferences, static_files
from services.pages.catalogue import PAGES
from services.pages.page import Page
from services.pages.session import Sessions
from services.pages.visit import Visit
from services.pages.words import LANGUAGE_NAMES
from services.process.logs import REQUEST_ID

TEMPLATES = Path(__file__).parents[1]


class Frame:
    """Makes HTML of templates, each in the folder of its room."""

    def __init__(self, sessions: Sessions) -> None:
        self._sessions = sessions
        self._templates = Environment(
            loader=FileSystemLoader(TEMPLATES),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._templates.globals["file"] = static_files.address_of
        self._templates.filters["lower_first"] = lambda text: text[:1].lower() + text[1:]

    def render(self, visit: Visit, template: str, shown: Mapping[str, Any]) -> str:
        """The page; `say`, `show`, `visit` and `form_token` are known in every template."""
        return self._templates.get_template(template).render(
            shown,
            visit=visit,
            say=visit.say,
            show=visit.show,
            form_token=self._sessions.form_token(visit.session),
            menu=tuple(menu_of(visit)),
            languages=LANGUAGE_NAMES,
            theme=preferences.theme(visit.request),
            request_id=REQUEST_ID.get(),
            keep=_kept_question(visit),
        )


def menu_of(visit: Visit) -> Iterator[tuple[Page, bool]]:
    """The pages of the menu that are for this person, and whether one is there now."""
    if visit.me is None:
        return
    for page in PAGES:
        if page.menu and page.missing_right(visit.me) is None:
            here = visit.request.url.path
            yield page, here == page.path or (page.path != "/" and here.startswith(f"{page.path}/"))


def _kept_question(visit: Visit) -> str:
    """What a link back to this page adds to its own choice, so that the page's question stays."""
    query = visit.request.url.query if visit.request.method == "GET" else ""
    return f"&{query}" if query else ""
