"""How every route is called, and what its caller needs: the table of rights once more, in words of its own."""

from collections.abc import Mapping
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Any, NamedTuple

from services.ledger.settings import terms
from tests.end_to_end.guarded_service import CLOSED_MONTH, OWN, Holder
from tests.ledger.commands import closing_body

RIGHTS = {
    "tasks": "recorder manager",
    "money": "finance",
    "months": "finance",
    "balances": "recorder finance manager auditor reader customer follower",
    "documents": "finance manager auditor reader customer",
    "all-accounts": "finance manager auditor reader",
    "evidence": "recorder finance manager auditor reader customer",
    "log": "auditor follower",
    "personal": "finance auditor customer follower",
    "erasure": "admin",
    "terms": "admin",
    "access": "admin",
    "operate": "admin",
}
"""Who has each right. `follower` are the parts of the program that read the log."""

NEED_EVERY_ACCOUNT = ("all-accounts", "log", "access", "operate", "terms")
PUBLIC, KNOWN = "public", "known"


class Call(NamedTuple):
    """A way to call a route. `lists`: it shows what is in the scope. `whole`: it shows every account at once."""

    needs: str
    query: Mapping[str, str] = MappingProxyType({})
    body: Any = None
    lists: bool = False
    whole: bool = False
    path: Mapping[str, str] = MappingProxyType({})


ACCOUNT = "/v1/accounts/{account_id}"
REASON = {"reason": "a test"}
PLAN = {"title": "t", "category": "regular", "estimated_minutes": 60}
TERMS = (
    terms()
    .versions[0]
    .model_copy(update={"name": "2040-01", "in_force_from": datetime(2040, 1, 1, tzinfo=UTC)})
    .model_dump(mode="json")
)
AGREEMENT = {
    "compared_at": "2026-03-01T00:00:00Z", "agreed": 0, "positions": {}, "items": [],
    "portal_hash": "0" * 64, "ledger_hash": "0" * 64,
}  # fmt: skip
IN_PATH = {
    "task_id": "own-task-0", "package_id": "own-package",
    "month": CLOSED_MONTH, "version": "1", "key_id": "a" * 16, "slug": "not-found",
    "file": CLOSED_MONTH, "path": "0/000.p/1", "number": "2026-1", "sha256": "0" * 64,
    "payment_id": "1",
}  # fmt: skip

DRY_RUN = {
    "account_id": "{account_id}", "version": 1, "position": None, "events": [],
    "balance": dict.fromkeys(
        ("balance_minutes", "held_minutes", "owed_minutes", "planned_minutes", "available_minutes"), 0
    ) | {"suspended": False},
}  # fmt: skip
"""What a dry run that would record nothing has answered."""

CALLS: dict[tuple[str, str], list[Call]] = {
    **{("GET", path): [Call(PUBLIC)] for path in (
        "/", "/asyncapi.json", "/docs", "/health/live", "/health/ready", "/metrics", "/problems", "/problems/{slug}",
    )},
    ("GET", "/docs/{file}"): [Call(PUBLIC, path={"file": "none.js"})],
    ("GET", "/health/details"): [Call("operate")],
    ("GET", "/v1/me"): [Call(KNOWN)],
    ("GET", "/v1/terms"): [Call(KNOWN)],
    ("POST", "/v1/terms"): [Call("terms", body=TERMS), Call("terms", {"dry_run": "true"}, TERMS)],
    ("GET", "/v1/drift"): [Call("all-accounts", {"month": CLOSED_MONTH}, whole=True)],
    ("PUT", "/v1/drift/{month}"): [Call("tasks", body=AGREEMENT, whole=True)],
    ("GET", "/v1/portals"): [Call("all-accounts", whole=True)],
    ("PUT", "/v1/portals/own"): [Call("tasks", body={"condition": "read", "every_seconds": 300}, whole=True)],
    ("GET", "/v1/projections"): [Call(KNOWN)],
    ("GET", "/v1/test-clock"): [Call(KNOWN)],
    ("POST", "/v1/commands"): [Call(KNOWN)],
    ("PUT", "/v1/test-clock"): [Call("operate", body={"now": "2026-01-01T00:00:00Z"})],
    ("GET", "/v1/access/decisions"): [Call("access", {"principal": "local", "right": "tasks"})],
    ("GET", "/v1/access/keys"): [Call("access")],
    ("POST", "/v1/access/keys"): [Call("access", body={"name": "made", "roles": ["admin"]})],
    ("POST", "/v1/access/keys/{key_id}/revocation"): [Call("access", body=REASON)],
    ("POST", "/v1/access/keys/{key_id}/rotation"): [Call("access", body={})],
    ("GET", "/v1/access/records"): [Call("log", whole=True)],
    ("POST", "/v1/accounts"): [Call("money", body={
        "account_id": "{account_id}", "customer_name": "n", "contract_number": "1", "contract_date": "2026-01-01"})],
    ("GET", "/v1/accounts"): [Call("balances", lists=True), Call("balances", {"sort": "balance"}, lists=True)],
    ("GET", "/v1/balances/weekly"): [Call("balances", {"account": OWN}, lists=True)],
    ("GET", ACCOUNT): [Call("balances")],
    ("GET", f"{ACCOUNT}/acts/{{file}}"): [Call("documents"), Call("documents", path={"file": f"{CLOSED_MONTH}.xlsx"})],
    ("GET", f"{ACCOUNT}/acts/{{month}}/upd.xml"): [Call("documents")],
    ("GET", f"{ACCOUNT}/balance"): [Call("balances"), Call("balances", {"as_of": "2026-03-03T00:00:00Z"})],
    ("GET", f"{ACCOUNT}/balance/history"): [Call("balances")],
    ("GET", f"{ACCOUNT}/customer/history"): [Call("balances")],
    ("PUT", f"{ACCOUNT}/customer"): [
        Call("money", body={"effective_on": "2026-04-01", "contract_number": "2"}),
        Call("money", {"dry_run": "true"}, {"effective_on": "2026-04-01", "contract_number": "3"})],
    ("POST", f"{ACCOUNT}/debt-payments"): [
        Call("money", body={"minutes": 1, "paid_at": "2026-03-04T00:00:00Z", "payment_reference": "7"})],
    ("GET", f"{ACCOUNT}/events"): [Call("log")],
    ("POST", f"{ACCOUNT}/invoices"): [
        Call("money", body={"package": {"plan": "hours-20"}}),
        Call("money", {"dry_run": "true"}, {"package": {"plan": "hours-20"}})],
    ("GET", f"{ACCOUNT}/invoices"): [Call("documents")],
    ("GET", f"{ACCOUNT}/invoices/{{file}}"): [
        Call("documents", path={"file": "2026-1"}), Call("documents", path={"file": "2026-1.pdf"})],
    ("POST", f"{ACCOUNT}/invoices/{{number}}/payment"): [Call("money", body=REASON)],
    ("POST", f"{ACCOUNT}/invoices/{{number}}/withdrawal"): [Call("money", body=REASON)],
    ("GET", "/v1/invoices"): [Call("documents", lists=True)],
    ("POST", f"{ACCOUNT}/months/{{month}}/close"): [Call("months")],
    ("POST", f"{ACCOUNT}/months/{{month}}/reopen"): [Call("months", {"dry_run": "true"}, body=REASON)],
    ("POST", f"{ACCOUNT}/packages"): [
        Call("money", body={"package_id": "more", "plan": "hours-20", "purchased_at": "2026-03-01T12:00:00Z"})],
    ("POST", f"{ACCOUNT}/packages/{{package_id}}/refund"): [
        Call("money", {"dry_run": "true"}, body=REASON | {"refund_reference": "7"})],
    ("GET", f"{ACCOUNT}/packages"): [Call("balances")],
    ("GET", f"{ACCOUNT}/personal-data"): [Call("personal")],
    ("POST", f"{ACCOUNT}/personal-data/erasures"): [Call("erasure", body={**REASON, "person": "nobody"})],
    ("GET", f"{ACCOUNT}/receipts"): [Call("evidence", {"idempotency_key": "own-key-0"})],
    ("GET", f"{ACCOUNT}/receipts/{{version}}"): [Call("evidence")],
    ("GET", f"{ACCOUNT}/forecast"): [Call("balances")],
    ("POST", f"{ACCOUNT}/alerts/foreseen"): [Call("balances", body=DRY_RUN)],
    ("POST", f"{ACCOUNT}/what-if"): [Call("balances", body={"purchases": []})],
    ("GET", f"{ACCOUNT}/reconciliations/{{since}}/{{file}}"): [
        Call("documents", path={"since": f"{CLOSED_MONTH}-01", "file": f"{CLOSED_MONTH}-28.pdf"})],
    ("GET", f"{ACCOUNT}/replay"): [Call("log")],
    ("GET", f"{ACCOUNT}/reports/{{file}}"): [Call("documents")],
    ("GET", f"{ACCOUNT}/statement"): [Call("balances")],
    ("POST", f"{ACCOUNT}/suspension"): [Call("money", body=REASON)],
    ("DELETE", f"{ACCOUNT}/suspension"): [Call("money", {**REASON, "dry_run": "true"})],
    ("GET", f"{ACCOUNT}/tasks"): [Call("balances")],
    ("GET", f"{ACCOUNT}/tasks/{{task_id}}"): [Call("balances")],
    ("POST", f"{ACCOUNT}/tasks/{{task_id}}/close"): [
        Call("tasks", body=closing_body()), Call("tasks", {"dry_run": "true"}, closing_body(), path={"task_id": "x"})],
    ("PUT", f"{ACCOUNT}/tasks/{{task_id}}/plan"): [
        Call("tasks", body=PLAN, path={"task_id": "planned"}),
        Call("tasks", {"dry_run": "true"}, PLAN, path={"task_id": "planned"})],
    ("DELETE", f"{ACCOUNT}/tasks/{{task_id}}/plan"): [
        Call("tasks", REASON, path={"task_id": "planned"}),
        Call("tasks", {**REASON, "dry_run": "true"}, path={"task_id": "planned"})],
    ("POST", f"{ACCOUNT}/tasks/{{task_id}}/correct"): [
        Call("tasks", {"dry_run": "true"}, closing_body() | REASON)],
    ("POST", f"{ACCOUNT}/tasks/{{task_id}}/reopen"): [Call("tasks", {"dry_run": "true"}, body=REASON)],
    ("POST", f"{ACCOUNT}/tasks/{{task_id}}/warranty"): [Call("tasks", body=REASON)],
    ("GET", f"{ACCOUNT}/recipients"): [Call("money")],
    ("PUT", f"{ACCOUNT}/recipients"): [Call("money", body={"effective_on": "2026-04-01", "recipients": []})],
    ("POST", f"{ACCOUNT}/recipients/erasures"): [
        Call("erasure", body={"address": "anna@own.example", "reason": "a test"})],
    ("GET", "/v1/months/{month}"): [Call("balances", lists=True)],
    ("GET", "/v1/months/{month}/sending"): [Call("documents", lists=True)],
    ("POST", "/v1/months/{month}/sending"): [
        Call("months", body={}, lists=True), Call("months", {"dry_run": "true"}, {}, lists=True)],
    ("GET", "/v1/documents/{sha256}"): [Call("documents", lists=True)],
    ("PUT", "/v1/documents/{sha256}/mark"): [
        Call("months", body={"mark": "signed", "marked_on": "2026-04-10"}, lists=True)],
    ("GET", "/v1/months/{month}/documents.zip"): [Call("documents", lists=True)],
    ("GET", "/v1/alerts"): [Call("balances", lists=True)],
    ("GET", "/v1/alerts/deliveries"): [Call("balances", lists=True)],
    ("GET", "/v1/alerts/stream"): [Call("balances", lists=True)],
    ("GET", "/v1/audit/checkpoint"): [Call("evidence")],
    ("GET", "/v1/audit/checkpoints"): [Call("evidence")],
    ("GET", "/v1/audit/keys"): [Call("evidence")],
    ("GET", "/v1/audit/proof/consistency"): [Call("evidence", {"from": "1", "to": "2"})],
    ("GET", "/v1/audit/proof/inclusion"): [Call("evidence", {"position": "1", "size": "2"})],
    ("GET", "/v1/audit/seals"): [Call("log")],
    ("GET", "/v1/audit/tile/{path:path}"): [Call("log")],
    ("GET", "/v1/audit/verifications"): [Call("log")],
    ("GET", "/v1/log"): [Call("log", {"limit": "5"}), Call("log", {"follow": "true"})],
    ("GET", "/v1/log/hashes"): [Call("log")],
    ("GET", "/v1/payments"): [Call("money", whole=True)],
    ("GET", "/v1/payments/{payment_id}"): [Call("money", whole=True)],
    ("POST", "/v1/payments/{payment_id}/acceptance"): [
        Call("money", body={"account_id": "none", "invoice": "2026-1"}, whole=True)],
    ("POST", "/v1/payments/{payment_id}/set-aside"): [Call("money", body=REASON, whole=True)],
    ("POST", "/v1/payments/statement"): [Call("money", whole=True)],
    ("GET", "/v1/personal-data"): [Call("personal", whole=True)],
    ("GET", "/v1/totals"): [Call("all-accounts", {"month": CLOSED_MONTH})],
}  # fmt: skip

COMMANDS: dict[str, Call] = {
    "OpenAccount": Call("money", body={"customer_name": "n", "contract_number": "1", "contract_date": "2026-01-01"}),
    "PurchasePackage": Call("money", body=CALLS["POST", f"{ACCOUNT}/packages"][0].body),
    "PayDebt": Call("money", body=CALLS["POST", f"{ACCOUNT}/debt-payments"][0].body),
    "ChangeCustomer": Call("money", body={"effective_on": "2026-04-01", "contract_number": "4"}),
    "PlanTask": Call("tasks", body={"task_id": "z", **PLAN}),
    "DropPlan": Call("tasks", body={"task_id": "z", **REASON}),
    "SuspendWork": Call("money", body=REASON),
    "ResumeWork": Call("money", body=REASON),
    "RefundPackage": Call("money", body=REASON | {"package_id": "none", "refund_reference": "7"}),
    "CorrectTask": Call("tasks", body={"task_id": "none", **closing_body(), **REASON}),
    "CloseTask": Call("tasks", body={"task_id": "y", **closing_body()}),
    "MarkWarranty": Call("tasks", body={"task_id": "y", **REASON}),
    "ReopenTask": Call("tasks", body={"task_id": "y", **REASON}),
    "CloseMonth": Call("months", body={"month": CLOSED_MONTH}),
    "ReopenMonth": Call("months", body={"month": "2025-01", **REASON}),
}


def slugs_expected(holder: Holder, call: Call, own: bool | None, *, opens: bool = False) -> tuple[str, ...]:
    """With which problem the door answers; nothing where it lets the caller in. `own` is None without an account."""
    if call.needs in (PUBLIC, KNOWN):
        return ()
    if holder.role not in RIGHTS[call.needs].split():
        return ("not-allowed",)
    if not holder.scoped:
        every = holder.role in RIGHTS["all-accounts"].split()
        return ("not-allowed",) if call.lists and not every else ()
    if own is None:
        return ("not-allowed",) if call.whole or call.needs in NEED_EVERY_ACCOUNT else ()
    if own:
        return ()
    return ("not-allowed",) if opens else ("account-not-found",)
