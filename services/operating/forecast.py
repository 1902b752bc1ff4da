"""`hourbook forecast …`: how good forecasts are, measured over a log."""

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from contracts.envelope import RecordedEvent
from services.process.operator_error import OperatorError

forecast = typer.Typer(name="forecast", no_args_is_help=True, help="What is expected of accounts.")


@forecast.callback()
def of_accounts() -> None:
    """With a callback `evaluate` is a command of its own, though there is no other."""


@forecast.command()
def evaluate(
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="A log as `hourbook export` writes it.")],
) -> None:
    """Forecast at many instants of every account's history, and hold that to what came true.

    For each kind of number: how often it came true between the 10th and the 90th percentile, and the pinball loss
    against that of a straight line, which is worse where this is below 1.
    """
    from services.ledger.forecast.evaluation import cases, quality

    found = quality(case for account_id, recorded in histories(file).items() for case in cases(account_id, recorded))
    table = Table("forecast of", title="Forecasts, held to what came true")
    for name in ("cases", "between p10 and p90", "loss against a line"):
        table.add_column(name, justify="right")
    for kind, of in sorted(found.items()):
        table.add_row(kind, str(of.cases), f"{of.inside:.0%}", f"{of.against_line:.2f}")
    Console().print(table)


def histories(file: Path) -> dict[str, list[RecordedEvent]]:
    """The events of each account, in order; OperatorError names the line that is no event."""
    found: dict[str, list[RecordedEvent]] = {}
    with file.open("rb") as lines:
        for number, line in enumerate(lines, 1):
            try:
                event = RecordedEvent.model_validate_json(line)
            except ValueError as unreadable:
                wrong = f"{file}, line {number} is no event as `hourbook export` writes it. Export the log anew."
                raise OperatorError(wrong) from unreadable
            found.setdefault(event.account_id, []).append(event)
    return found
