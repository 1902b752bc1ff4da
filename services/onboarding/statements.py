"""For each customer a statement to sign: the hours and the money that were taken over."""

from collections.abc import Callable, Iterable
from pathlib import Path

import httpx

from contracts.read_models import AccountView, BalanceView
from contracts.reconciliations import Reconciliation
from services.documents import Lang, takeover_pdf
from services.documents.formats import day_of
from services.onboarding.conversation import known
from services.process.file_replacement import replace_file


def write_statements(
    client: httpx.Client, accounts: Iterable[str], folder: Path, lang: Lang, progress: Callable[[int], None]
) -> None:
    """A PDF for each account, by its id and day; one that is there already is made anew."""
    folder.mkdir(parents=True, exist_ok=True)
    for account_id in accounts:
        path = f"/v1/accounts/{account_id}"
        balance = BalanceView.model_validate(known(client, f"{path}/balance", 0))
        account = AccountView.model_validate(known(client, path, balance.position))
        day = day_of(balance.as_of)
        since = min(account.contract_date, *(day_of(lot.starts_at) for lot in balance.lots), day)
        asked = {"known_at": str(balance.position)}
        answer = known(client, f"{path}/reconciliations/{since}/{day}", balance.position, asked)
        made = Reconciliation.model_validate(answer)
        replace_file(folder / f"{account_id}-{day}.pdf", takeover_pdf(made, balance, lang))
        progress(1)
