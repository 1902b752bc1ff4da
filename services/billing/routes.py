"""Every route of billing: those of its rooms, side by side."""

from services.billing.invoices.routes import ROUTES as INVOICES
from services.billing.payments.routes import ROUTES as PAYMENTS
from services.billing.sending.routes import router as sending

ROUTES = [*INVOICES, *PAYMENTS, *sending.routes]
