"""The commands `hourbook privacy …`, over HTTP."""

from typing import Annotated

import typer

from services.auditing.evidence_commands import DEFAULT_URL, Url
from services.process.operator_error import OperatorError

privacy = typer.Typer(name="privacy", help="What the ledger knows about people.", no_args_is_help=True)


@privacy.callback()
def _several() -> None:
    """Typer takes a lone command for the whole program."""


@privacy.command()
def erase(
    account: Annotated[str, typer.Argument(help="Whose events.")],
    reason: Annotated[str, typer.Option(help="Why, in words that name nobody: it is kept.")],
    person: Annotated[
        str | None, typer.Option(help="Only this name or e-mail, letter by letter; without it, all of the account.")
    ] = None,
    url: Url = DEFAULT_URL,
) -> None:
    """Erase the names and e-mails of people from an account's events; every proof still holds."""
    import httpx

    from services.process.address import hourbook_at

    body = {"reason": reason} | ({"person": person} if person else {})
    with hourbook_at(url):
        path = f"{url}/v1/accounts/{account}/personal-data/erasures"
        answer = httpx.post(path, json=body, timeout=60, trust_env=False)
    if "problem+json" in answer.headers["Content-Type"]:
        problem = answer.json()
        raise OperatorError(f"{problem['title']} {problem['detail']}")
    with hourbook_at(url):
        print(f"{answer.raise_for_status().json()['erased']} erased")
