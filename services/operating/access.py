"""The commands `hourbook access …`: keys and who may do what, over HTTP."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from contracts.access import Right, Role
from services.access.options import DEFAULT_DATA, DEFAULT_URL, KeyFile, Url
from services.auditing.evidence_commands import INSTANT, parsed_instant
from services.process.terminal import say

if TYPE_CHECKING:
    import httpx

access = typer.Typer(name="access", help="Keys, and who may do what.", no_args_is_help=True)

KeyId = Annotated[str, typer.Argument(help="The id of the key, as `access list` shows it.")]


@contextmanager
def _asking(url: str, key_file: KeyFile) -> "Iterator[httpx.Client]":
    from services.access.caller import Caller
    from services.process.address import hourbook_at

    with hourbook_at(url), Caller.of(url, key_file).client() as client:
        yield client


def _document(answer: "httpx.Response") -> Any:
    from services.process.address import document

    return document(answer)


def _show_once(made: dict[str, Any]) -> None:
    """The credential alone on standard output, so that it can be piped into a file."""
    say(f"The key {made['key_id']}; it is shown this once:")
    print(made["credential"])


@access.command()
def begin(data: Annotated[Path, typer.Option(help="Where the keys are kept, in access/.")] = DEFAULT_DATA) -> None:
    """Make the first keys straight in the database, as `up` does: of a ledger whose parts are started one by one.

    Again it makes only those whose files are missing, and revokes the lost ones.
    """
    import asyncio
    import os

    from services.ledger.event_store import migrations
    from services.operating.door_keys import keep_keys
    from services.operating.start_conditions import ledger_settings
    from services.process.logins import as_part
    from services.process.postgres_login import log_in
    from services.process.schema_watch import require_standing

    settings = ledger_settings(os.environ | as_part("expiry"))

    async def kept() -> None:
        await log_in(settings.database_url)
        require_standing(await migrations.standing(settings.database_url))
        await keep_keys(settings, data.absolute(), say)

    asyncio.run(kept())


@access.command()
def make(
    name: Annotated[str, typer.Argument(help="What the key is called in lists, such as the service that holds it.")],
    role: Annotated[list[Role], typer.Option(help="What it may do; may be repeated.")],
    account: Annotated[list[str] | None, typer.Option(help="For this account alone; may be repeated.")] = None,
    ends: Annotated[datetime | None, typer.Option(parser=parsed_instant, help=f"When it ends. {INSTANT}")] = None,
    url: Url = DEFAULT_URL,
    key_file: KeyFile = None,
) -> None:
    """Make a key, with no more rights, accounts and time than your own, and print it."""
    body = {"name": name, "roles": role, "accounts": account or None, "ends_at": ends and ends.isoformat()}
    with _asking(url, key_file) as client:
        _show_once(_document(client.post("/v1/access/keys", json=body)))


@access.command("list")
def list_(url: Url = DEFAULT_URL, key_file: KeyFile = None) -> None:
    """The keys within your own rights, a line each: id, name, roles, accounts, and whether it holds."""
    with _asking(url, key_file) as client:
        for key in _document(client.get("/v1/access/keys"))["keys"]:
            roles, accounts = sorted(key["roles"]), key["accounts"]
            scope = "all accounts" if accounts is None else ",".join(sorted(accounts))
            print("\t".join((key["key_id"], key["name"] or "(erased)", ",".join(roles), scope, _state(key))))


def _state(key: dict[str, Any]) -> str:
    if key["revoked_at"]:
        return f"revoked {key['revoked_at']}"
    return f"ends {key['ends_at']}" if key["ends_at"] else "has no end"


@access.command()
def rotate(
    key_id: KeyId,
    overlap: Annotated[int, typer.Option(help="For how many minutes the earlier secret works on.", min=0)] = 24 * 60,
    url: Url = DEFAULT_URL,
    key_file: KeyFile = None,
) -> None:
    """Give a key another secret, and print it; the earlier one works on for the overlap."""
    with _asking(url, key_file) as client:
        body = {"overlap_minutes": overlap}
        _show_once(_document(client.post(f"/v1/access/keys/{key_id}/rotation", json=body)))


@access.command()
def revoke(
    key_id: KeyId,
    reason: Annotated[str, typer.Option(help="Why, in words that name nobody: it is kept.")],
    url: Url = DEFAULT_URL,
    key_file: KeyFile = None,
) -> None:
    """End a key now: within a second no process accepts it."""
    with _asking(url, key_file) as client:
        done = _document(client.post(f"/v1/access/keys/{key_id}/revocation", json={"reason": reason}))
    print(f"{done['key_id']} is revoked")


@access.command()
def why(
    principal: Annotated[str, typer.Argument(help="Whose right, such as key-abcdefghijklmnop.")],
    right: Annotated[Right, typer.Argument(help="Which right.")],
    account: Annotated[str | None, typer.Option(help="On which account.")] = None,
    url: Url = DEFAULT_URL,
    key_file: KeyFile = None,
) -> None:
    """Say why somebody may do something; exit code 1 where it is why not."""
    asked = {"principal": principal, "right": right} | ({"account": account} if account else {})
    with _asking(url, key_file) as client:
        decision = _document(client.get("/v1/access/decisions", params=asked))
    print(decision["reason"])
    if not decision["allowed"]:
        raise typer.Exit(1)


@access.command()
def me(url: Url = DEFAULT_URL, key_file: KeyFile = None) -> None:
    """Say who you are with your key, and what you may do."""
    with _asking(url, key_file) as client:
        found = _document(client.get("/v1/me"))
    accounts = found["accounts"]
    for title, value in (
        ("principal", found["principal"]),
        ("name", found["name"] or ""),
        ("roles", ",".join(found["roles"])),
        ("rights", ",".join(found["rights"])),
        ("accounts", "all accounts" if accounts is None else ",".join(accounts)),
        ("ends", found["ends_at"] or "has no end"),
    ):
        print(f"{title}\t{value}")
