"""УПД of the acts of both sample histories, and the route that gives them."""

from collections.abc import Sequence
from datetime import date
from itertools import product
from pathlib import Path

import pytest

from contracts.events import MonthClosed
from services.documents import NoUpd, upd
from services.documents.seller import DatedParty, DatedVat, Seller
from services.documents.upd import Upd
from services.operating.demo import SAMPLE
from services.projections.monthly_reports.acts import act
from services.projections.monthly_reports.queries import Asked, closed_at, report
from services.projections.settings import Settings
from tests.documents.builder import SELLER
from tests.documents.test_upd import CLOSED, CUSTOMER
from tests.documents.upd_reading import read, require_sums
from tests.ledger.vocabulary import (
    ACCOUNT_ID,
    Step,
    buy,
    change_customer,
    close,
    close_month,
    mark_warranty,
    reopen_month,
)
from tests.projections.monthly_reports.conftest import Telling, Told, logged
from tests.projections.questions import Queries
from tests.projections.sample import TRADE, sample_log
from tests.projections.vocabulary import Log, closed, moment, opened, purchased, times

PARTY = DatedParty(**SELLER.model_dump())
VAT = (
    (DatedVat(mode="none"),),
    (DatedVat(mode="20"), DatedVat(in_force_from=date(2026, 1, 1), mode="22")),
    (DatedVat(mode="none"), DatedVat(in_force_from=date(2026, 3, 1), mode="5")),
)


@pytest.mark.parametrize("folder", [SAMPLE, TRADE])
async def test_every_act_of_the_samples_is_valid_to_the_kopeck_or_takes_back_more_than_it_accepts(
    telling: Telling, folder: Path
):
    made, none = 0, 0
    async with telling() as told:
        log = sample_log(folder)
        await told.apply(logged(log.lines))
        for (account_id, month), vat in product(await months_booked(told), VAT):
            seller = Seller(party=(PARTY,), vat=vat)
            booked = await report(told.connection, Asked(account_id, month, None), log.position, seller)
            known = {"draft": False, "customer": CUSTOMER}
            stated = (await act(told.connection, booked, seller)).model_copy(update=known)
            if not stated.to_sign or any(rate.total_kopecks < 0 for rate in stated.vat_rates):
                with pytest.raises(NoUpd):
                    upd(stated, CLOSED)
                none += stated.to_sign
            else:
                require_sums(read(upd(stated, CLOSED)), stated)
                made += 1
    assert made > 5 * none > 0


async def months_booked(told: Told) -> Sequence[tuple[str, str]]:
    rows = await told.connection.fetch("SELECT DISTINCT account_id, booking_month FROM report_entry ORDER BY 1, 2")
    return [tuple(row) for row in rows]


REQUISITES = CUSTOMER.model_dump(exclude={"name"}, exclude_none=True)

STEPS = (
    buy("small", on="2026-03-01"),
    change_customer("2026-03-02", customer_requisites=REQUISITES, on="2026-03-02"),
    close("T-1", worked=600, on="2026-03-10"),
    close_month("2026-03", on="2026-04-01"),
)


async def march(told: Told, *steps: Step) -> Upd:
    told.seller = Seller(party=(PARTY,), vat=VAT[1])
    await told.tell(steps)
    assert told.story.refusal is None
    stated = await act(told.connection, await told.report("2026-03"), told.seller)
    return upd(stated, await closed_at(told.connection, Asked(ACCOUNT_ID, "2026-03", None)))


async def test_that_of_a_closed_month_is_the_same_bytes_for_ever(telling: Telling):
    later = (
        buy("more", on="2026-04-02"),
        mark_warranty("T-1", on="2026-04-03"),
        change_customer("2026-04-01", customer_name="АО «Иное»", on="2026-04-04"),
        close_month("2026-04", on="2026-05-02"),
    )
    async with telling() as told:
        assert await march(told, *STEPS) == await march(told, *later)


async def test_that_of_a_month_closed_anew_corrects_it_under_its_number(telling: Telling):
    anew = (
        reopen_month("2026-03", on="2026-04-02"),
        close("T-2", worked=60, on="2026-03-20"),
        close_month("2026-03", on="2026-04-04"),
    )
    async with telling() as told:
        headings = [read(await march(told, *steps)).find("Документ/СвСчФакт") for steps in (STEPS, anew)]
    assert [heading.get("НомерДок") for heading in headings] == ["17/24-2026-03"] * 2
    assert [heading.find("ИспрДок") is None for heading in headings] == [True, False]
    assert headings[1].find("ИспрДок").get("ДатаИспр") == "04.04.2026"


SELLER_FILE = """
[party]
name = "ООО «Синтез»"
inn = "7701234560"
kpp = "770101001"
address = "115114, г. Москва, Дербеневская наб., д. 7"
signatory_name = "Иванова А. П."

[[vat]]
mode = "20"
"""


@pytest.fixture
def settings(settings: Settings, tmp_path: Path) -> Settings:
    """With a seller whose requisites are known."""
    file = tmp_path / "seller.toml"
    file.write_text(SELLER_FILE, encoding="utf-8")
    return settings.model_copy(update={"seller_file": file})


def record_march(log: Log, requisites: dict[str, str] | None = None) -> None:
    log.record("romashka", opened(requisites=requisites), purchased("spring", on="2026-03-01", until="2026-06-02"))
    log.record("romashka", closed("T-1", on="2026-03-05", draws={"spring": 100}, amount=531_667))
    log.clock = moment("2026-04-02")
    log.record("romashka", MonthClosed(**times("2026-04-02"), month="2026-03"))


async def test_the_route_gives_the_file_by_its_name(log: Log, ask: Queries):
    record_march(log, REQUISITES)
    answer = await ask.answer("/romashka/acts/2026-03/upd.xml")
    assert (answer.status_code, answer.headers["Content-Type"]) == (200, "application/xml")
    name = answer.headers["Content-Disposition"].removeprefix('attachment; filename="').removesuffix('"')
    file = read(Upd(name, answer.content))
    assert file.find("Документ/ТаблСчФакт/ВсегоОпл").get("СтТовУчНалВсего") == "5316.67"


async def test_the_route_names_what_is_missing(log: Log, ask: Queries):
    record_march(log)
    refused = await ask.answer("/romashka/acts/2026-03/upd.xml")
    assert (refused.status_code, refused.json()["type"]) == (409, "urn:hourbook:problem:upd-not-possible")
    assert [field["field"] for field in refused.json()["fields"]] == ["customer.inn", "customer.address"]
    still_open = await ask.answer("/romashka/acts/2026-04/upd.xml")
    assert still_open.status_code == 409
    assert "Close the month first" in still_open.json()["detail"]
