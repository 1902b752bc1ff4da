"""An invoice that nobody could pay is not issued: the seller's file is to say who is paid, and where."""

from datetime import UTC, datetime

import httpx
import pytest

from contracts.invoices import InvoiceBody
from services.billing.hourbook import Hourbook
from services.billing.invoices.draft import drafted
from services.documents.seller import Seller
from services.process.problem_responses import ProblemError

BANK = {"name": "ПАО Сбербанк", "bic": "044525225", "account": "40702810500000001234"}
WHOLE = {"name": "ООО «Синтез»", "inn": "7701234560", "bank": BANK}
BODY = InvoiceBody.model_validate({"package": {"plan": "hours-20"}})


@pytest.mark.parametrize(
    "lacking", [{"name"}, {"inn"}, {"bank"}, {"name", "inn", "bank"}], ids=lambda each: "+".join(sorted(each))
)
async def test_what_the_sellers_file_lacks_is_named_with_the_remedy(lacking: set[str]):
    party = {field: value for field, value in WHOLE.items() if field not in lacking}
    seller = Seller.model_validate({"party": {"name": "Исполнитель"} | party})
    async with httpx.AsyncClient(base_url="http://127.0.0.1:9", trust_env=False) as client:
        with pytest.raises(ProblemError) as refused:
            await drafted(Hourbook(client), seller, "oka", BODY, datetime.now(UTC), "key", 5)
    problem = refused.value.problem
    assert problem.slug == "seller-incomplete"
    assert {field.field for field in problem.fields} == {f"party.{field}" for field in lacking}
    assert all("HOURBOOK_SELLER_FILE" in field.remedy for field in problem.fields)
