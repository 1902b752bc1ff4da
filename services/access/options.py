"""Options of commands that ask a Hourbook: where it is, and which key to show there."""

import re
from pathlib import Path
from typing import Annotated

import typer

DEFAULT_URL = "http://127.0.0.1:8000"
DEFAULT_DATA = Path(".hourbook")

Url = Annotated[str, typer.Option(help="Where Hourbook answers.")]
KeyFile = Annotated[
    Path | None,
    typer.Option(
        help="A file with the key or token to show; on this machine, without it, access/owner.key of the data folder.",
        envvar="HOURBOOK_KEY_FILE",
    ),
]


def _month(given: str) -> str:
    from contracts.quantities import MONTH_FORM

    if not re.fullmatch(MONTH_FORM, given):
        raise typer.BadParameter("give a month such as 2026-08")
    return given


Month = Annotated[str, typer.Argument(help="The month, such as 2026-08.", callback=_month)]
