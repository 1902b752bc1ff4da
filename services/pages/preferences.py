"""What a browser keeps of a person's taste: the language and the appearance, chosen by a link on any page."""

from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from services.documents.numerals import Lang
from services.pages.words import LANGUAGES, language_of

THEMES = ("auto", "light", "dark")
CHOICES: dict[str, tuple[str, ...]] = {"lang": LANGUAGES, "theme": THEMES}
YEAR_SECONDS = 365 * 24 * 3600


def chosen(request: Request) -> Response | None:
    """The same page without the choice in its address, and the choice kept; None where there is none to keep."""
    found = {name: value for name, value in request.query_params.items() if value in CHOICES.get(name, ())}
    if not found or request.method != "GET":
        return None
    rest = urlencode([each for each in request.query_params.multi_items() if each[0] not in found])
    answer = RedirectResponse(_here(request) + (f"?{rest}" if rest else ""), 303)
    for name, value in found.items():
        answer.set_cookie(name, value, YEAR_SECONDS, path="/", httponly=True, samesite="lax")
    return answer


def _here(request: Request) -> str:
    """The path of the page; with several slashes at its beginning browsers would take it for another host's."""
    return "/" + request.url.path.lstrip("/")


def language(request: Request) -> Lang:
    """The language that was chosen, or that the browser prefers."""
    kept = request.cookies.get("lang")
    return next((lang for lang in LANGUAGES if lang == kept), None) or language_of(
        request.headers.get("accept-language", "")
    )


def theme(request: Request) -> str:
    """The appearance that was chosen."""
    kept = request.cookies.get("theme", "")
    return kept if kept in THEMES else THEMES[0]
