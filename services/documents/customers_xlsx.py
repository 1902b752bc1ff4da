"""The list of customers as a workbook."""

from collections.abc import Sequence

from contracts.quantities import SELLER_ZONE
from contracts.read_models import AccountSummary
from services.documents.formats import Formats, last_day_before
from services.documents.numerals import Lang
from services.documents.sheets import Book, Column

_TITLE = {"ru": "Заказчики", "en": "Customers"}
_COLUMNS: dict[Lang, tuple[Column, ...]] = {
    "ru": (
        Column("Заказчик", "text", 40), Column("Номер", "text", 20), Column("Договор", "text", 20),
        Column("Остаток, ч", "hours", 14), Column("Запланировано, ч", "hours", 16), Column("Долг, ч", "hours", 12),
        Column("Последний день", "day", 16), Column("Сгорит, ч", "hours", 12), Column("Кончатся", "day", 14),
    ),
    "en": (
        Column("Customer", "text", 40), Column("Id", "text", 20), Column("Contract", "text", 20),
        Column("Balance, h", "hours", 14), Column("Planned, h", "hours", 16), Column("Owed, h", "hours", 12),
        Column("Last day", "day", 16), Column("Will expire, h", "hours", 12), Column("Run out on", "day", 14),
    ),
}  # fmt: skip
_NO_DAY = "2000-01"


def customers_xlsx(accounts: Sequence[AccountSummary], lang: Lang) -> bytes:
    """One row for each customer, in the order given; bytes depend on nothing but them."""
    columns = _COLUMNS[lang]
    known = [account.forecast_as_of for account in accounts if account.forecast_as_of]
    month = f"{max(known).astimezone(SELLER_ZONE):%Y-%m}" if known else _NO_DAY
    book = Book(Formats(lang), _TITLE[lang], "Hourbook", month)
    sheet = book.sheet(_TITLE[lang], None)
    book.table_head(sheet, 0, columns)
    for row, account in enumerate(accounts, 1):
        book.row(sheet, row, columns, _values(account))
    return book.finish()


def _values(account: AccountSummary) -> tuple[object, ...]:
    expires = account.next_expiry_at
    run_out = account.run_out_on.p50 if account.run_out_on and account.balance_minutes > 0 else None
    return (
        account.customer_name,
        account.account_id,
        account.contract_number,
        account.balance_minutes / 60,
        account.planned_minutes / 60,
        account.owed_minutes / 60,
        last_day_before(expires) if expires else None,
        account.next_expiry_minutes / 60 if expires else None,
        run_out,
    )
