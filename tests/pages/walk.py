"""Every page as people reach it: the walk's table. A new page is one entry here."""

from typing import NamedTuple

from services.pages.catalogue import PAGES
from tests.end_to_end.access_calls import NEED_EVERY_ACCOUNT, RIGHTS
from tests.end_to_end.guarded_service import CLOSED_MONTH, OWN, Holder

CUSTOMER = "/customers/{account_id}"
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


class Stop(NamedTuple):
    """Where the walk stops: the page's path, an address of it, and the right that it needs, in the words of `RIGHTS`.

    `lists`: it shows what is in the scope. `whole`: it shows every account at once.
    """

    page: str
    address: str
    needs: str | None = None
    lists: bool = False
    whole: bool = False

    def is_for(self, holder: Holder) -> bool:
        """Whether the holder of that key may see it."""
        if self.needs is None:
            return True
        if holder.role not in RIGHTS[self.needs].split():
            return False
        if holder.scoped:
            return not self.whole and self.needs not in NEED_EVERY_ACCOUNT
        return not self.lists or holder.role in RIGHTS["all-accounts"].split()


STOPS = [
    Stop("/", "/"),
    Stop("/customers", "/customers", "balances", lists=True),
    Stop("/customers", "/customers?q=own&sort=-balance", "balances", lists=True),
    Stop(CUSTOMER, f"/customers/{OWN}", "balances"),
    Stop(CUSTOMER, f"/customers/{OWN}?as_of=2026-03-03&known_at=2026-04-01", "balances"),
    Stop(f"{CUSTOMER}/curve", f"/customers/{OWN}/curve?as_of=2027-01-01", "balances"),
    Stop(f"{CUSTOMER}/tasks", f"/customers/{OWN}/tasks", "balances"),
    Stop(f"{CUSTOMER}/tasks/{{task_id}}", f"/customers/{OWN}/tasks/own-task-1", "balances"),
    Stop(f"{CUSTOMER}/statement", f"/customers/{OWN}/statement", "balances"),
    Stop("/documents", f"/documents?month={CLOSED_MONTH}", "documents", lists=True),
    Stop("/documents", "/documents?month=2031-01", "documents", lists=True),
    Stop("/payments", "/payments?read=3.2.1", "money", whole=True),
    Stop("/proofs", "/proofs"),
    Stop("/audit", "/audit", "log", whole=True),
    Stop("/audit", "/audit?type=TaskClosed&on=2026-03-03", "log", whole=True),
    Stop("/audit/replay", "/audit/replay?account=c7-00&known_at=400&as_of=2025-12-31", "log", whole=True),
    Stop("/audit/access", "/audit/access", "log", whole=True),
    Stop("/access", "/access?principal=key-aaaaaaaaaaaaaaaa&right=money&account=oka", "access", whole=True),
    Stop("/open-account", "/open-account", "money"),
    Stop(f"{CUSTOMER}/commands", f"/customers/{OWN}/commands", "balances"),
    Stop(f"{CUSTOMER}/commands/{{command}}", f"/customers/{OWN}/commands/purchase-package", "money"),
    Stop(f"{CUSTOMER}/commands/{{command}}", f"/customers/{OWN}/commands/correct-task?task_id=own-task-0", "tasks"),
    Stop(f"{CUSTOMER}/commands/{{command}}", f"/customers/{OWN}/commands/close-month", "months"),
    Stop(f"{CUSTOMER}/invoices", f"/customers/{OWN}/invoices", "documents"),
    Stop(f"{CUSTOMER}/invoices/{{subject}}", f"/customers/{OWN}/invoices/package", "money"),
    Stop(f"{CUSTOMER}/invoices/{{subject}}", f"/customers/{OWN}/invoices/debt", "money"),
    Stop(f"{CUSTOMER}/recipients", f"/customers/{OWN}/recipients", "money"),
    Stop("/operations", "/operations", "operate", whole=True),
    Stop("/terms", "/terms", "terms", whole=True),
    Stop("/drift", f"/drift?month={CLOSED_MONTH}", "all-accounts", whole=True),
    Stop("/months", "/months", "balances", lists=True),
    Stop("/months/{month}", f"/months/{CLOSED_MONTH}", "balances", lists=True),
    Stop("/months/{month}/{account_id}", f"/months/{CLOSED_MONTH}/{OWN}", "balances", lists=True),
]


class File(NamedTuple):
    """A page that is a file to keep, or for a script: no browser looks at it."""

    address: str
    needs: str
    media_type: str
    lists: bool = False


EVIDENCE = "/proofs/evidence"
FILES = {
    "/customers.xlsx": File("/customers.xlsx?q=own", "balances", XLSX, lists=True),
    f"{CUSTOMER}/documents/{{kind}}/{{file}}": File(
        f"/customers/{OWN}/documents/reports/{CLOSED_MONTH}.pdf", "documents", "application/pdf"
    ),
    f"{CUSTOMER}/reconciliation": File(
        f"/customers/{OWN}/reconciliation?since={CLOSED_MONTH}-01&until={CLOSED_MONTH}-31",
        "documents",
        "application/pdf",
    ),
    "/proofs/receipt": File(
        f"/proofs/receipt?account_id={OWN}&idempotency_key=own-key-0", "evidence", "application/json"
    ),
    f"{EVIDENCE}/keys": File(f"{EVIDENCE}/keys", "evidence", "application/json"),
    f"{EVIDENCE}/checkpoint": File(f"{EVIDENCE}/checkpoint?log=0", "evidence", "text/plain"),
    f"{EVIDENCE}/consistency": File(f"{EVIDENCE}/consistency?log=0&from=1&to=2", "evidence", "application/json"),
    f"{EVIDENCE}/receipts/{{account_id}}/{{version:int}}": File(
        f"{EVIDENCE}/receipts/{OWN}/1", "evidence", "application/json"
    ),
}

ELSEWHERE = {"/sent-documents/{sha256}"}
"""Files that there are only once something was sent: test_months.py asks for them."""


ARCHIVE = Stop("/documents/{month}.zip", f"/documents/{CLOSED_MONTH}.zip", "documents", lists=True)
"""A file of all customers in the scope."""


def forgotten() -> list[str]:
    """Pages that the walk passes by."""
    looked_at = {stop.page for stop in (*STOPS, ARCHIVE)} | set(FILES) | ELSEWHERE
    return sorted({page.path for page in PAGES if page.show} - looked_at)


FOREIGN_ADDRESSES = [stop.address.replace(OWN, "{foreign}") for stop in STOPS if OWN in stop.address]
"""Addresses of one customer, to be asked for another one's."""
