"""Rules 10.1 and 12: closed months never change, and what was sent can be made again, byte for byte."""

from datetime import date, timedelta

from hypothesis import given

from contracts.events import MonthReopened
from contracts.quantities import month_of
from services.documents.seller import DatedParty, DatedVat, Seller
from services.ledger.domain.local_time import month_after
from tests.ledger.domain.histories import Numbers
from tests.ledger.vocabulary import Story, close_month, time_passes
from tests.projections.monthly_reports.conftest import EVENTFUL, FEW, Telling, last_month

YESTERDAY = DatedParty(name="ООО «Синтез»", inn="7701234560", address="Москва, Дербеневская наб., д. 7")
TOMORROW = {"name": "АО «Новый синтез»", "signatory_name": "Петров П. П."}


def closed_with_tasks(story: Story) -> list[str]:
    through = story.account.closed_through or ""
    return sorted(month for month, booked in story.account.months.items() if month <= through and booked.closings)


def reopened_since(story: Story, position: int) -> set[str]:
    events = (line.event() for line in story.recorded[position:])
    return {event.month for event in events if isinstance(event, MonthReopened)}


@FEW
@given(EVENTFUL, EVENTFUL)
async def test_what_was_sent_is_made_again_byte_for_byte_after_a_year_of_further_history(
    telling: Telling, history: list[Numbers], year: list[Numbers]
):
    async with telling() as told:
        story = told.story
        await told.tell(history)
        await told.tell([close_month(last_month(story)), time_passes(str(story.now + timedelta(minutes=1)))])
        story.now += timedelta(minutes=1)
        closed = closed_with_tasks(story)[-2:]
        sent = [*closed, month_of(story.now)]
        then, position, there = story.now - timedelta(seconds=1), told.position, month_after(month_of(story.now))
        told.seller = Seller(party=(YESTERDAY,), vat=(DatedVat(mode="20"),))
        data, papers = await told.data(closed), await told.papers(sent)
        data_then = [await told.data(sent, known_at) for known_at in (position, then)]

        await told.tell([*year, time_passes(str(story.now + timedelta(days=366)))])
        changed = date.fromisoformat(f"{there}-01")
        party, vat = DatedParty(in_force_from=changed, **TOMORROW), DatedVat(in_force_from=changed, mode="22")
        told.seller = Seller(party=(YESTERDAY, party), vat=(*told.seller.vat, vat))

        assert [await told.data(sent, known_at) for known_at in (position, then)] == data_then
        assert await told.papers(sent, position) == papers
        still_closed = [month for month in closed if month not in reopened_since(story, position)]
        assert (await told.data(still_closed)).items() <= data.items()
        assert (await told.papers(still_closed)).items() <= papers.items()
