"""Eight months of a support desk, played over HTTP with the test clock, and what came of them."""

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import httpx
import orjson
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table
from rich.text import Text

from contracts.access import Role
from contracts.quantities import SELLER_ZONE, decimal_hours
from services.access.caller import Caller, asking, detail_of
from services.auditing.ledger_over_http import AuditSource
from services.documents.formats import last_day_before
from services.operating import door_keys
from services.process.operator_error import OperatorError

SAMPLE = Path(__file__).parents[2] / "infra" / "sample"
NOT_OF_THE_COMMAND = ("at", "expect", "balance_minutes")
CURVE_WIDTH = 36


def sample_lines(folder: Path = SAMPLE) -> Iterator[dict[str, Any]]:
    """The commands of the sample, or of another history of its form, in the order in which they are sent."""
    with (folder / "commands.ndjson").open("rb") as lines:
        yield from map(orjson.loads, lines)


def play_sample(caller: Caller, console: Console) -> None:
    """Send every command at its time; a second start goes on where the first one stopped."""
    lines = list(sample_lines())
    end = orjson.loads((SAMPLE / "expected.json").read_bytes())["end"]
    with caller.client() as client:
        clock = _clock(client)
        left = [line for line in lines if clock is None or datetime.fromisoformat(line["at"]) >= clock]
        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
        with Progress(*columns, console=console) as progress:
            task = progress.add_task("playing the history", total=len(lines), completed=len(lines) - len(left))
            for line in left:
                _set_clock(client, line["at"])
                _send(client, line)
                progress.advance(task)
        if clock is None or clock < datetime.fromisoformat(end):
            _set_clock(client, end)


def _clock(client: httpx.Client) -> datetime | None:
    """Where the test clock stands; absent while nothing is recorded."""
    if not any(AuditSource(client).heads().values()):
        return None
    return datetime.fromisoformat(client.get("/v1/test-clock").raise_for_status().json()["now"])


def _set_clock(client: httpx.Client, instant: str) -> None:
    client.put("/v1/test-clock", json={"now": instant}).raise_for_status()


def _send(client: httpx.Client, line: dict[str, Any]) -> None:
    command = {name: value for name, value in line.items() if name not in NOT_OF_THE_COMMAND}
    answer = orjson.loads(client.post("/v1/commands", content=orjson.dumps(command)).raise_for_status().content)
    outcome = "accepted" if answer["status"] == 201 else answer["type"].rpartition(":")[2]
    if outcome != line["expect"]:
        raise OperatorError(f"command {line['idempotency_key']} came to {outcome}, not to {line['expect']}: {answer}")


def show(caller: Caller, console: Console) -> None:
    """Customers, open alerts, one balance over time, one replay beside the projection, and where to look next."""
    with caller.client() as client:
        everything = {"Hourbook-Min-Position": str(max(AuditSource(client).heads().values()))}
        page = client.get("/v1/accounts", params={"limit": 100}, headers=everything)
        accounts = page.raise_for_status().json()["accounts"]
        console.print(_customers(accounts))
        console.print(_alerts(client))
        shown = max(accounts, key=lambda account: account["held_minutes"])["account_id"]
        console.print(_curve(client, shown))
        console.print(_replay_beside_projection(client, shown))
    shown_key = f', with the header "Authorization: Bearer $(cat {caller.key_file})"' if caller.key_file else ""
    console.print(f"\nWhere to look next{shown_key}:", highlight=False, soft_wrap=True)
    for path in (
        "docs",
        f"v1/accounts/{shown}/balance",
        f"v1/accounts/{shown}/reports/2026-03.pdf",
        "v1/alerts",
        "v1/log?limit=5",
    ):
        console.print(f"  {caller.url}/{path}", soft_wrap=True)


def show_door(url: str, data: Path, console: Console) -> None:
    """What each key of the data folder may do here, and how the door answers one that may not."""
    table = Table("key", "roles", "rights", title=f"Keys at the door, in {data / door_keys.FOLDER}")
    for name in door_keys.ROLES_OF:
        with Caller(url, door_keys.file_of(data, name)).client() as client:
            me = client.get("/v1/me").raise_for_status().json()
        roles, rights = ("all", "all") if name == door_keys.OWNER else (", ".join(me["roles"]), ", ".join(me["rights"]))
        table.add_row(f"{name}.key", roles, rights)
    console.print(table)
    with httpx.Client(**asking(url, door_keys.file_of(data, Role.READER))) as reader:
        refused = reader.get("/v1/access/keys")
    answer = f"{refused.status_code} {detail_of(refused)}"
    console.print(f"GET /v1/access/keys with reader.key: {answer}", highlight=False, soft_wrap=True)


def _customers(accounts: list[dict[str, Any]]) -> Table:
    table = Table("account", "customer", title="Customers")
    for name in ("balance, h", "owed, h", "last day of the next hours", "hours at stake"):
        table.add_column(name, justify="right")
    for account in accounts:
        expires = account["next_expiry_at"]
        table.add_row(
            account["account_id"],
            account["customer_name"],
            account["balance_hours"],
            decimal_hours(account["owed_minutes"]),
            _last_day(expires) if expires else "",
            decimal_hours(account["next_expiry_minutes"]) if expires else "",
        )
    return table


def _alerts(client: httpx.Client) -> Table:
    """What a support manager has to tell customers today."""
    page = client.get("/v1/alerts", params={"open": True, "limit": 100}).raise_for_status().json()
    table = Table("account", "since", "alert", title="Open alerts, the newest first")
    for alert in page["alerts"]:
        since = datetime.fromisoformat(alert["opened_at"]).astimezone(SELLER_ZONE)
        table.add_row(alert["account_id"], f"{since:%Y-%m-%d}", alert["text"]["en"])
    return table


def _last_day(ends_at: str) -> str:
    """Hours end at midnight: the day before is the last on which they can be used."""
    return last_day_before(datetime.fromisoformat(ends_at)).isoformat()


def _curve(client: httpx.Client, account_id: str) -> Table:
    """The last step of each month, as a bar."""
    steps = client.get(f"/v1/accounts/{account_id}/balance/history").raise_for_status().json()
    months = {step["at"][:7]: step for step in steps}
    highest = max([abs(step["balance_minutes"]) for step in months.values()], default=1) or 1
    table = Table("month", "balance, h at its end", "", title=f"The balance of {account_id} over time")
    for month, step in months.items():
        minutes = step["balance_minutes"]
        bar = "█" * round(abs(minutes) / highest * CURVE_WIDTH)
        table.add_row(month, decimal_hours(minutes), Text(bar, "red" if minutes < 0 else "green"))
    return table


def _replay_beside_projection(client: httpx.Client, account_id: str) -> Table:
    """The same questions, answered by the log alone and by the read model."""
    table = Table("as of", "known at", "replayed from the log, h", "projection, h", title=f"{account_id}, twice")
    for as_of, known_at in (("2026-03-10", None), ("2026-03-10", "2026-04-01"), ("2026-08-31", None)):
        asked = {"as_of": f"{as_of}T00:00:00+03:00"} | ({"known_at": f"{known_at}T00:00:00+03:00"} if known_at else {})
        replayed, projected = (
            client.get(f"/v1/accounts/{account_id}/{route}", params=asked).raise_for_status().json()
            for route in ("replay", "balance")
        )
        if replayed["balance_minutes"] != projected["balance_minutes"]:
            raise OperatorError(f"the log and the projection disagree about {account_id} as of {as_of}")
        table.add_row(as_of, known_at or "now", replayed["balance_hours"], projected["balance_hours"])
    return table
