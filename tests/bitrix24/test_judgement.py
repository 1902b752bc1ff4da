"""Which tasks count, and as what (rules 1.1, 5.1, 5.3): by what the portal says, and nothing else."""

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.commands import CloseTaskBody
from contracts.quantities import month_of
from services.bitrix24.deeds import effective_at
from services.bitrix24.judgement import Counted, Judgement, Undecided, Unfinished, judged, people_named, rounded
from services.bitrix24.portal_records import Elapsed
from services.bitrix24.portal_tasks import people, tasks_changed, work_on
from services.bitrix24.reading import with_comments
from services.bitrix24.settings import Connector, Consents
from services.ledger.settings import terms
from tests.bitrix24.trade import CUSTOMERS, SELLERS, WEBHOOK, at

SETTINGS = Connector.model_validate(
    {
        "webhook": WEBHOOK,
        "since": "2026-01-01",
        "accounts": {"3": "oka"},
        "categories": {
            "field": "UF_AUTO_5",
            "values": {"12": "urgent"},
            "tags": {"срочно": "urgent", "ночь": "off_hours"},
        },
        "consents": {"urgency_field": "UF_AUTO_6"},
    }
)


async def judgement_of(portal, settings: Connector = SETTINGS) -> Judgement | None:
    """What the only task of the portal is to the ledger."""
    (work,) = await work_on(portal, await tasks_changed(portal, settings.accounts.keys(), None, settings.own_fields))
    (work,) = await with_comments(portal, [work], settings)
    return judged(work, settings, await people(portal, people_named(work)), terms().versions)


@pytest.fixture
def confirmed(fake):
    """Makes a task on which 50 minutes were worked, which was handed over and accepted."""

    def make(**more) -> int:
        task = fake.create(3, at("2026-03-02 09:00"), **more)
        fake.work(task, SELLERS, at("2026-03-02 10:00"), 50 * 60)
        fake.set_status(task, 4, SELLERS, at("2026-03-02 12:00"))
        fake.set_status(task, 5, CUSTOMERS, at("2026-03-03 09:30"))
        return task

    return make


async def test_a_confirmed_task_counts_with_its_work_and_both_instants(portal, confirmed):
    task = confirmed(title="Настроить\n  отчёт")

    found = await judgement_of(portal)

    assert isinstance(found, Counted)
    assert (found.account_id, found.task_id, found.work.seconds) == ("oka", f"B24-{task}", 3000)
    assert found.closing == CloseTaskBody.model_validate(
        {
            "title": "Настроить отчёт",
            "category": "regular",
            "worked_minutes": 50,
            "started_at": at("2026-03-02 10:00"),
            "closed_at": at("2026-03-02 12:00"),
            "confirmed_at": at("2026-03-03 09:30"),
            "confirmed_by": "Анна Иванова",
            "time_entries": [{"start": at("2026-03-02 10:00"), "minutes": 50, "performer": "Пётр Мастер"}],
            "evidence": {
                "source": "bitrix24",
                "raw_seconds": 3000,
                "entries": 1,
                "entries_hash": found.work.fingerprint,
                "rounding": "task",
            },
        }
    )


async def test_what_was_confirmed_before_the_connector_began_is_somebody_elses(portal, confirmed):
    confirmed()
    settings = SETTINGS.model_copy(update={"since": date(2026, 3, 4)})

    assert await judgement_of(portal, settings) is None


@pytest.mark.parametrize("statuses", [(), (4,), (4, 3), (5,), (4, 5, 3)])
async def test_a_task_that_is_not_handed_over_and_accepted_does_not_count(fake, portal, statuses):
    task = fake.create(3, at("2026-03-02 09:00"))
    fake.work(task, SELLERS, at("2026-03-02 10:00"), 3000)
    for hour, status in enumerate(statuses):
        fake.set_status(task, status, CUSTOMERS, at(f"2026-03-02 {12 + hour}:00"))

    assert isinstance(await judgement_of(portal), Unfinished)


async def test_work_of_a_year_before_any_price_list_is_a_matter_to_decide(fake, portal, confirmed):
    fake.work(confirmed(), SELLERS, at("1999-12-31 10:00"), 600)

    found = await judgement_of(portal)

    assert isinstance(found, Undecided)
    assert found.reason.startswith("started_at: give a year")


async def test_who_accepts_it_is_a_person_of_the_customers(fake, portal, confirmed):
    confirmed()
    fake.person(CUSTOMERS, "Анна Иванова")

    found = await judgement_of(portal)

    assert isinstance(found, Undecided)
    assert found.reason == f"the person № {CUSTOMERS} has confirmed it, who is not the customer's"


async def test_a_department_can_be_the_customers(fake, portal, confirmed):
    confirmed()
    fake.person(CUSTOMERS, "Анна Иванова", departments=(20,))
    settings = SETTINGS.model_copy(update={"customers": SETTINGS.customers.model_copy(update={"departments": {20}})})

    assert isinstance(await judgement_of(portal, settings), Counted)


async def test_a_task_that_was_accepted_again_counts_from_then(fake, portal, confirmed):
    task = confirmed()
    fake.set_status(task, 3, SELLERS, at("2026-03-04 10:00"))
    fake.set_status(task, 4, SELLERS, at("2026-03-05 10:00"))
    fake.set_status(task, 5, CUSTOMERS, at("2026-03-06 10:00"))

    found = await judgement_of(portal)

    assert isinstance(found, Counted)
    assert (found.closing.closed_at, found.closing.confirmed_at) == (at("2026-03-05 10:00"), at("2026-03-06 10:00"))


async def test_without_time_there_is_nothing_to_count(fake, portal):
    task = fake.create(3, at("2026-03-02 09:00"))
    fake.set_status(task, 4, SELLERS, at("2026-03-02 12:00"))
    fake.set_status(task, 5, CUSTOMERS, at("2026-03-03 09:30"))

    found = await judgement_of(portal)

    assert isinstance(found, Undecided)
    assert found.reason == "no time is written on it"


@pytest.mark.parametrize(
    ("more", "category"),
    [
        ({}, "regular"),
        ({"tags": ("СРОЧНО", "другое")}, "urgent"),
        ({"own": {"ufAuto5": "12"}, "tags": ("ночь",)}, "urgent"),
        ({"own": {"ufAuto5": ""}, "tags": ("ночь",)}, "off_hours"),
    ],
    ids=["neither", "a tag", "a field before a tag", "an empty field"],
)
async def test_the_category_is_that_of_the_field_then_of_the_tag(portal, confirmed, more, category):
    confirmed(**more)

    found = await judgement_of(portal)

    assert isinstance(found, Counted)
    assert found.closing.category == category


@pytest.mark.parametrize("more", [{"own": {"ufAuto5": "13"}}, {"tags": ("срочно", "ночь")}], ids=["field", "two tags"])
async def test_a_category_that_nobody_can_tell_is_a_matter_to_decide(portal, confirmed, more):
    confirmed(**more)

    assert isinstance(await judgement_of(portal), Undecided)


async def test_consent_is_what_its_field_says(portal, confirmed):
    confirmed(tags=("срочно",), own={"ufAuto6": "2026-03-02T09:10:00+03:00"})

    found = await judgement_of(portal)

    assert isinstance(found, Counted)
    assert found.closing.urgency_agreed_at == at("2026-03-02 09:10")


async def test_a_consent_that_is_no_instant_is_a_matter_to_decide(portal, confirmed):
    confirmed(own={"ufAuto6": "вчера"})

    found = await judgement_of(portal)

    assert isinstance(found, Undecided)
    assert found.reason.startswith("urgency_agreed_at: ")


async def test_entries_that_change_change_the_fingerprint(fake, portal, confirmed):
    task = confirmed()
    prints = [(await judgement_of(portal)).work.fingerprint]
    entry = fake.work(task, SELLERS, at("2026-03-02 15:00"), 600)
    prints.append((await judgement_of(portal)).work.fingerprint)
    fake.unwork(task, entry)

    assert (await judgement_of(portal)).work.fingerprint == prints[0] != prints[1]


async def test_how_late_an_entry_was_written_is_known(fake, portal):
    task = fake.create(3, at("2026-03-02 09:00"))
    fake.work(task, SELLERS, at("2026-03-02 10:00"), 3600, written=at("2026-03-04 11:00"))
    fake.work(task, SELLERS, at("2026-03-02 12:00"), 3600)

    (work,) = await work_on(portal, await tasks_changed(portal, {3}, None))

    assert [entry.written_late_seconds for entry in work.entries] == [2 * 24 * 3600, 0]


def entries(*seconds: int) -> list[Elapsed]:
    start = at("2026-03-02 10:00")
    return [
        Elapsed.model_validate({"ID": n, "USER_ID": 1, "SECONDS": some, "CREATED_DATE": start + timedelta(hours=n)})
        for n, some in enumerate(seconds)
    ]


@pytest.mark.parametrize(
    ("rounding", "seconds", "worked", "each"),
    [
        ("task", (60,), 10, (10,)),
        ("task", (600, 1), 20, (20, 0)),
        ("task", (300, 300), 10, (5, 5)),
        ("entry", (60, 601), 30, (10, 20)),
        ("nearest", (899,), 10, (10,)),
        ("nearest", (900,), 20, (20,)),
        ("nearest", (1,), 10, (10,)),
        ("nearest", (), 0, ()),
        ("task", (0, 0), 0, (0, 0)),
    ],
)
def test_time_is_rounded_as_the_settings_say(rounding, seconds, worked, each):
    assert rounded(entries(*seconds), rounding, 10) == (worked, each)


@given(
    st.lists(st.integers(0, 40_000), max_size=12),
    st.sampled_from(("task", "entry", "nearest")),
    st.sampled_from((5, 10, 15)),
)
def test_entries_add_up_to_a_multiple_of_the_quantum_and_no_work_vanishes(seconds, rounding, quantum):
    worked, each = rounded(entries(*seconds), rounding, quantum)

    assert sum(each) == worked
    assert worked % quantum == 0
    assert (worked > 0) == (sum(seconds) > 0)
    assert all(minutes >= 0 for minutes in each)
    if rounding != "nearest":
        assert 60 * worked >= sum(seconds)


AGREEING = SETTINGS.model_copy(
    update={
        "consents": Consents(
            urgency_field="UF_AUTO_6", urgency_comment=r"срочно.*соглас", off_hours_comment=r"^\s*прошу\b.*вечером"
        )
    }
)


async def test_the_customer_agrees_in_a_comment_before_the_work_starts(fake, portal, confirmed):
    task = confirmed(tags=("срочно",))
    fake.write(task, CUSTOMERS, "Сделаете?", at("2026-03-02 09:10"))
    fake.write(task, CUSTOMERS, "Срочно: да, согласны", at("2026-03-02 09:30"))
    fake.write(task, CUSTOMERS, "срочно, согласовано", at("2026-03-02 09:45"))

    found = await judgement_of(portal, AGREEING)

    assert isinstance(found, Counted)
    assert (found.closing.urgency_agreed_at, found.closing.off_hours_requested_at) == (at("2026-03-02 09:30"), None)


async def test_off_hours_work_is_asked_for_in_a_comment(fake, portal, confirmed):
    fake.write(confirmed(tags=("ночь",)), CUSTOMERS, "Прошу сделать вечером", at("2026-03-02 09:30"))

    found = await judgement_of(portal, AGREEING)

    assert isinstance(found, Counted)
    assert found.closing.off_hours_requested_at == at("2026-03-02 09:30")


@pytest.mark.parametrize(
    ("user", "text"),
    [(SELLERS, "срочно, согласны"), (CUSTOMERS, "согласны"), (99, "срочно, согласны"), (CUSTOMERS, "")],
)
async def test_what_others_write_or_what_has_another_wording_is_no_consent(fake, portal, confirmed, user, text):
    fake.write(confirmed(tags=("срочно",)), user, text, at("2026-03-02 09:30"))

    found = await judgement_of(portal, AGREEING)

    assert isinstance(found, Counted)
    assert found.closing.urgency_agreed_at is None


async def test_the_date_of_a_field_goes_before_a_comment(fake, portal, confirmed):
    task = confirmed(tags=("срочно",), own={"ufAuto6": at("2026-03-02 09:05").isoformat()})
    fake.write(task, CUSTOMERS, "срочно, согласны", at("2026-03-02 09:30"))

    found = await judgement_of(portal, AGREEING)

    assert isinstance(found, Counted)
    assert found.closing.urgency_agreed_at == at("2026-03-02 09:05")


async def test_comments_are_read_only_where_a_consent_may_stand_in_them(fake, portal, confirmed):
    confirmed()
    await judgement_of(portal, AGREEING)
    assert fake.calls["task.commentitem.getlist"] == 0
    fake.tasks.clear()
    confirmed(tags=("срочно",))
    await judgement_of(portal, SETTINGS)
    assert fake.calls["task.commentitem.getlist"] == 0


@pytest.mark.parametrize(
    ("confirmed_at", "month"),
    [
        ("2026-03-31T23:59:59+03:00", "2026-03"),
        ("2026-04-01T00:00:00+03:00", "2026-04"),
        ("2026-03-31T20:59:59+00:00", "2026-03"),
        ("2026-04-01T02:59:59+06:00", "2026-03"),
        ("2026-03-31T23:00:00+02:00", "2026-04"),
        ("2026-03-31T15:00:00-07:00", "2026-04"),
    ],
)
async def test_whatever_zone_the_portal_answers_in_the_month_is_by_the_sellers(fake, portal, confirmed_at, month):
    fake.zone = ZoneInfo("America/Los_Angeles")
    task = fake.create(3, at("2026-03-02 09:00"))
    fake.work(task, SELLERS, at("2026-03-02 10:00"), 3000)
    fake.set_status(task, 4, SELLERS, at("2026-03-02 12:00"))
    fake.set_status(task, 5, CUSTOMERS, datetime.fromisoformat(confirmed_at))

    found = await judgement_of(portal)

    assert isinstance(found, Counted)
    assert found.closing.confirmed_at == datetime.fromisoformat(confirmed_at)
    assert month_of(effective_at(found)) == month


@pytest.mark.parametrize("zone", ["Europe/Moscow", "Europe/Berlin", "America/New_York", "Asia/Kolkata", "Pacific/Apia"])
async def test_the_zone_of_whoever_asks_changes_nothing(fake, portal, zone):
    fake.zone = ZoneInfo(zone)
    task = fake.create(3, at("2026-03-29 00:30"))
    for start in ("2026-03-29 03:30", "2026-03-29 04:30", "2026-10-25 03:30", "2026-10-25 04:30"):
        fake.work(task, SELLERS, at(start), 900)  # around the changes of clocks in Berlin
    fake.set_status(task, 4, SELLERS, at("2026-10-25 05:00"))
    fake.set_status(task, 5, CUSTOMERS, at("2026-10-25 05:30"))

    found = await judgement_of(portal)

    assert isinstance(found, Counted)
    closing = found.closing
    assert (closing.started_at, closing.closed_at, closing.confirmed_at) == (
        at("2026-03-29 03:30"), at("2026-10-25 05:00"), at("2026-10-25 05:30"),
    )  # fmt: skip
    assert [entry.start for entry in closing.time_entries or ()] == [
        at("2026-03-29 03:30"), at("2026-03-29 04:30"), at("2026-10-25 03:30"), at("2026-10-25 04:30"),
    ]  # fmt: skip
    assert found.work.fingerprint == (await in_moscow(fake, portal)).work.fingerprint


async def in_moscow(fake, portal) -> Counted:
    """The same, told in another zone."""
    fake.zone = ZoneInfo("Europe/Moscow")
    found = await judgement_of(portal)
    assert isinstance(found, Counted)
    return found
