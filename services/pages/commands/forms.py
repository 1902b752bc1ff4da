"""The form of every command: its fields, its right, and where it is sent. A command is one entry here."""

from typing import NamedTuple

from contracts.access import Right
from services.pages.commands.fields import Field

ACCOUNT = "/v1/accounts/{account_id}"
TASK = f"{ACCOUNT}/tasks/{{task_id}}"

TASK_ID = Field("task_id", in_path=True)
MONTH = Field("month", "month", in_path=True)
REASON = Field("reason")
TITLE = Field("title")
CATEGORY = Field("category", "choice", choices=("regular", "urgent", "off_hours", "urgent_off_hours", "warranty"))
REQUISITES = (
    "inn", "kpp", "address", "bank_details", "signatory_position", "signatory_name", "signatory_authority",
)  # fmt: skip
CLOSING = (
    TASK_ID,
    TITLE,
    Field("kind", "choice", choices=("work", "specification")),
    CATEGORY,
    Field("worked_minutes", "minutes"),
    Field("started_at", "moment", required=False),
    Field("closed_at", "moment"),
    Field("confirmed_at", "moment"),
    Field("confirmed_by", required=False),
    Field("time_entries", "entries", required=False),
    Field("urgency_agreed_at", "moment", required=False),
    Field("off_hours_requested_at", "moment", required=False),
    Field("package_use_agreed_at", "moment", required=False),
)


class Form(NamedTuple):
    """`name`: the last part of its address. `reason_asked`: its reason travels in the question, for it has no body."""

    name: str
    right: Right
    path: str
    fields: tuple[Field, ...]
    method: str = "POST"
    reason_asked: bool = False

    @property
    def word(self) -> str:
        """The name of its title."""
        return "form_" + self.name.replace("-", "_")


OPENING = Form(
    "open-account",
    Right.MONEY,
    "/v1/accounts",
    (Field("account_id"), Field("customer_name"), Field("contract_number"), Field("contract_date", "day")),
)
"""The only one that is for no customer yet."""

FORMS = {
    form.name: form
    for form in (
        Form("close-task", Right.TASKS, f"{TASK}/close", CLOSING),
        Form("correct-task", Right.TASKS, f"{TASK}/correct", (*CLOSING, REASON)),
        Form("plan-task", Right.TASKS, f"{TASK}/plan", (
            TASK_ID, TITLE, CATEGORY, Field("estimated_minutes", "minutes"),
            Field("planned_start_at", "moment", required=False)), method="PUT"),
        Form("drop-plan", Right.TASKS, f"{TASK}/plan", (TASK_ID, REASON), method="DELETE", reason_asked=True),
        Form("mark-warranty", Right.TASKS, f"{TASK}/warranty", (TASK_ID, REASON)),
        Form("reopen-task", Right.TASKS, f"{TASK}/reopen", (TASK_ID, REASON)),
        Form("purchase-package", Right.MONEY, f"{ACCOUNT}/packages", (
            Field("package_id"), Field("plan", "choice"), Field("purchased_at", "moment"),
            Field("carry_over", "check", required=False), Field("agreed.minutes", "minutes", required=False),
            Field("agreed.price_kopecks", "money", required=False), Field("agreed.ends_on", "day", required=False),
            Field("agreed.reason", required=False))),
        Form("refund-package", Right.MONEY, f"{ACCOUNT}/packages/{{package_id}}/refund", (
            Field("package_id", in_path=True), REASON, Field("refund_reference"),
            Field("amount_kopecks", "money", required=False))),
        Form("pay-debt", Right.MONEY, f"{ACCOUNT}/debt-payments", (
            Field("minutes", "minutes"), Field("paid_at", "moment"), Field("payment_reference"))),
        Form("suspend-work", Right.MONEY, f"{ACCOUNT}/suspension", (REASON,)),
        Form("resume-work", Right.MONEY, f"{ACCOUNT}/suspension", (REASON,), method="DELETE", reason_asked=True),
        Form("change-customer", Right.MONEY, f"{ACCOUNT}/customer", (
            Field("effective_on", "day"), Field("customer_name", required=False),
            Field("contract_number", required=False), Field("contract_date", "day", required=False),
            *(Field(f"customer_requisites.{name}", required=False) for name in REQUISITES)), method="PUT"),
        Form("close-month", Right.MONTHS, f"{ACCOUNT}/months/{{month}}/close", (MONTH,)),
        Form("reopen-month", Right.MONTHS, f"{ACCOUNT}/months/{{month}}/reopen", (MONTH, REASON)),
    )
}  # fmt: skip
"""Those of one customer, in the order in which they are offered."""
