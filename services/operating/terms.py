"""The commands `hourbook terms …`: the price lists, and how a new one is published (rule 3.4)."""

import json
import sys
import tomllib
from pathlib import Path
from typing import Annotated, Any

import typer

from services.access.options import DEFAULT_URL, KeyFile, Url
from services.process.operator_error import OperatorError
from services.process.terminal import say

terms = typer.Typer(name="terms", help="The price lists: what is in force, and how a new one is published.",
                    no_args_is_help=True)  # fmt: skip


@terms.command("list")
def list_(url: Url = DEFAULT_URL, key_file: KeyFile = None) -> None:
    """All versions, a line each: its name, from when on it is in force, its plans."""
    for version in _asked("GET", url, key_file)["versions"]:
        print("\t".join((version["name"], version["in_force_from"], ",".join(version["plans"]))))


@terms.command()
def publish(
    file: Annotated[Path, typer.Argument(help="The version, as JSON or as a TOML file with one table `version`.")],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what it would have changed.")] = False,
    url: Url = DEFAULT_URL,
    key_file: KeyFile = None,
) -> None:
    """Publish a version of the terms, in force at least an hour later; earlier ones stay as they are.

    A dry run prints what it would have changed in the last three months, a line an account: minutes charged, minutes
    and kopecks of packages, kopecks of debt paid, packages not on sale any more, closings that are not in its quantum.
    """
    answer = _asked("POST", url, key_file, json=read_version(file), params={"dry_run": dry_run})
    if not dry_run:
        version = answer["version"]
        print(f"{version['name']} is published and will be in force from {version['in_force_from']} on")
        return
    print("\t".join(_COLUMNS), file=sys.stderr)
    for account in answer["accounts"]:
        changed = (f"{account[name]:+}" for name in _DIFFERENCES)
        rest = (",".join(account["not_on_sale"]), str(account["not_in_quantum"]))
        print("\t".join((account["account_id"], *changed, *rest)))
    say(f"Accounts that would have differed since {answer['since']}: {len(answer['accounts'])}. Nothing was published.")


_DIFFERENCES = ("charged_minutes", "purchased_minutes", "purchased_kopecks", "paid_kopecks")
_COLUMNS = ("account_id", *_DIFFERENCES, "not_on_sale", "not_in_quantum")
"""Named beside what a program reads, so that people know what they see."""


def read_version(file: Path) -> dict[str, Any]:
    """The version that a file has, as it is sent; OperatorError where there is none."""
    try:
        text = file.read_text(encoding="utf-8")
        if file.suffix == ".json":
            return json.loads(text)
        (version,) = tomllib.loads(text)["version"]
        plans = {plan["name"]: plan for plan in version["plans"]}
        return version | {"in_force_from": version["in_force_from"].isoformat(), "plans": plans}
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as misfit:
        raise OperatorError(
            f"{file} has no version of the terms: {misfit!r}. Give JSON as GET /v1/terms answers one, or TOML with "
            "one [[version]] that has plans and in_force_from."
        ) from misfit


def _asked(method: str, url: str, key_file: KeyFile, **request: Any) -> Any:
    from services.access.caller import Caller
    from services.process.address import document, hourbook_at

    with hourbook_at(url), Caller.of(url, key_file).client() as client:
        return document(client.request(method, "/v1/terms", **request))
