"""Read models as documents: pure functions to the bytes of a file (rules 10.3, 10.4)."""

from services.documents.act_pdf import act_pdf
from services.documents.act_xlsx import act_xlsx
from services.documents.numerals import Lang
from services.documents.reconciliation_pdf import reconciliation_pdf
from services.documents.reconciliation_xlsx import reconciliation_xlsx
from services.documents.report_pdf import report_pdf
from services.documents.report_xlsx import report_xlsx
from services.documents.takeover_pdf import takeover_pdf
from services.documents.upd import NoUpd, upd

__all__ = [
    "Lang",
    "NoUpd",
    "act_pdf",
    "act_xlsx",
    "reconciliation_pdf",
    "reconciliation_xlsx",
    "report_pdf",
    "report_xlsx",
    "takeover_pdf",
    "upd",
]
