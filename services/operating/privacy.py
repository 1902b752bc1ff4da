"""The commands `hourbook privacy …`, over HTTP."""

from typing import Annotated

import typer

from services.access.options import DEFAULT_URL, KeyFile, Url

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
    key_file: KeyFile = None,
) -> None:
    """Erase the names and e-mails of people from an account's events; every proof still holds."""
    from services.access.caller import Caller
    from services.process.address import document, hourbook_at

    body = {"reason": reason} | ({"person": person} if person else {})
    with hourbook_at(url), Caller.of(url, key_file).client() as client:
        done = document(client.post(f"/v1/accounts/{account}/personal-data/erasures", json=body))
    print(f"{done['erased']} erased")
