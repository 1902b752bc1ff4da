"""The queries over HTTP: answers, positions, pages, and problems that name the field and the remedy."""

import asyncio
from itertools import chain

import httpx
import pytest

from services.process.stopping import end
from services.projections import read_models, running
from services.projections.catalogue import PROJECTIONS
from services.projections.settings import Settings
from tests.projections.questions import Queries, client_of, pages, until
from tests.projections.vocabulary import Log, closed, moment, opened, purchased


@pytest.fixture
def spring(log: Log) -> Log:
    """An account that bought 1200 minutes on 1 March, used 100 on the 5th, and is asked on the 20th."""
    log.record("romashka", opened(), purchased("spring", 1200, on="2026-03-01", until="2026-06-02"))
    log.record("romashka", closed("T-1", on="2026-03-05", draws={"spring": 100}, amount=531_667))
    log.clock = moment("2026-03-20")
    return log


async def test_a_balance_has_every_field_of_the_interface(spring: Log, ask: Queries):
    assert await ask("/romashka/balance") == {
        "account_id": "romashka",
        "as_of": "2026-03-19T21:00:00Z",
        "known_at": None,
        "position": 3,
        "balance_minutes": 1100,
        "balance_hours": "18.33",
        "held_minutes": 1100,
        "owed_minutes": 0,
        "planned_minutes": 0,
        "available_minutes": 1100,
        "suspended": False,
        "lots": [
            {
                "lot_id": "spring",
                "package_id": "spring",
                "plan": "hours-20",
                "remaining_minutes": 1100,
                "size_minutes": 1200,
                "price_kopecks": 6_380_000,
                "agreed": None,
                "starts_at": "2026-02-28T21:00:00Z",
                "ends_at": "2026-06-01T21:00:00Z",
            }
        ],
    }


async def test_the_test_clock_tells_what_now_is(spring: Log, ask: Queries):
    assert (await ask("/romashka/balance"))["balance_minutes"] == 1100
    spring.clock = moment("2026-06-02")
    assert (await ask("/romashka/balance"))["balance_minutes"] == 0


@pytest.mark.parametrize(
    ("asked", "minutes"),
    [
        ({"as_of": "2026-03-04T00:00:00+03:00"}, 1200),
        ({"as_of": "2026-03-04T00:00:00 03:00"}, 1200),
        ({"as_of": "2026-03-04T00:00:00Z", "known_at": "1"}, 0),
        ({"as_of": "2026-03-04T00:00:00Z", "known_at": "2"}, 1200),
        ({"known_at": "2026-03-04T00:00:00 03:00"}, 1200),
    ],
)
async def test_a_balance_as_of_and_as_known_at(spring: Log, ask: Queries, asked: dict[str, str], minutes: int):
    assert (await ask("/romashka/balance", **asked))["balance_minutes"] == minutes


async def test_the_curve_begins_at_from_and_has_only_changes(spring: Log, ask: Queries):
    spring.record("romashka", closed("T-2", on="2026-03-10", owed=0))
    curve = await ask("/romashka/balance/history", since="2026-03-02T00:00:00+03:00", to="2026-07-01T00:00:00+03:00")
    assert curve == [
        {"at": "2026-03-01T21:00:00Z", "balance_minutes": 1200},
        {"at": "2026-03-04T21:00:00Z", "balance_minutes": 1100},
        {"at": "2026-06-01T21:00:00Z", "balance_minutes": 0},
    ]


async def test_by_default_the_curve_is_all_of_it_up_to_now(spring: Log, ask: Queries):
    assert [step["balance_minutes"] for step in await ask("/romashka/balance/history")] == [1200, 1100]
    spring.clock = moment("2026-06-02")
    assert [step["balance_minutes"] for step in await ask("/romashka/balance/history")] == [1200, 1100, 0]


async def test_before_its_first_change_a_balance_is_nothing(spring: Log, ask: Queries):
    period = {"since": "2026-01-01T00:00:00Z", "to": "2026-01-02T00:00:00Z"}
    assert await ask("/romashka/balance/history", **period) == [{"at": "2026-01-01T00:00:00Z", "balance_minutes": 0}]


async def test_a_statement_names_the_event_of_every_movement(spring: Log, ask: Queries):
    spring.record("romashka", closed("T-2", on="2026-03-02", owed=30), at="2026-03-12")
    statement = await ask("/romashka/statement")
    assert statement["account_id"] == "romashka"
    assert statement["next_cursor"] is None
    assert statement["lines"][1] == {
        "position": 4,
        "event_id": spring.lines[3].event_id,
        "type": "TaskClosed",
        "recorded_at": "2026-03-11T21:00:00Z",
        "effective_at": "2026-03-01T21:00:00Z",
        "lot_id": None,
        "task_id": "T-2",
        "closure": 1,
        "minutes": 30,
        "amount_kopecks": 0,
    }
    moved = [(line["type"], line["lot_id"], line["minutes"], line["amount_kopecks"]) for line in statement["lines"]]
    assert moved == [
        ("PackagePurchased", "spring", 1200, 6_380_000),
        ("TaskClosed", None, 30, 0),
        ("TaskClosed", "spring", -100, -531_667),
    ]


async def test_a_statement_is_of_a_half_open_interval(spring: Log, ask: Queries):
    lines = (await ask("/romashka/statement", since="2026-03-01T00:00:00+03:00", to="2026-03-05T00:00:00+03:00"))[
        "lines"
    ]
    assert [line["type"] for line in lines] == ["PackagePurchased"]


async def test_a_statement_goes_on_where_its_page_ended_even_inside_an_event(log: Log, ask: Queries):
    log.record("romashka", opened(), *(purchased(f"P-{n}", on="2026-03-01", until="2026-06-02") for n in range(3)))
    log.record("romashka", closed("T-1", on="2026-03-05", draws={f"P-{n}": 10 for n in range(3)}, owed=5))
    whole = (await ask("/romashka/statement"))["lines"]
    found = await pages(ask, "/romashka/statement", "lines", limit=2)
    assert [len(page) for page in found] == [2, 2, 2, 1]
    assert [*chain.from_iterable(found)] == whole


async def test_an_account_nobody_opened_is_not_found(spring: Log, ask: Queries):
    for path in ("balance", "balance/history", "statement"):
        answer = await ask.answer(f"/nobody/{path}")
        assert answer.status_code == 404
        assert answer.headers["Content-Type"] == "application/problem+json"
        assert answer.headers["Hourbook-Position"] == str(ask.end_of_log("/nobody"))
        assert answer.json()["type"].endswith(":account-not-found")
        assert "nobody" in answer.json()["detail"]


MISFITS = [
    ("/romashka/balance?as_of=2026-03-04T00:00:00", "as_of"),
    ("/romashka/balance?as_of=yesterday", "as_of"),
    ("/romashka/balance?as_of=9999-01-01T00:00:00Z", "as_of"),
    ("/romashka/balance?known_at=2026-03-04T00:00:00", "known_at"),
    ("/romashka/balance?known_at=-1", "known_at"),
    ("/romashka/balance?known_at=99999999999999999999", "known_at"),
    ("/romashka/balance?known_at=", "known_at"),
    ("/romashka/balance?asof=2026-03-04T00:00:00Z", "asof"),
    ("/rom%20ashka/balance", "account_id"),
    ("/romashka/balance/history?from=2026-03-04T00:00:00", "from"),
    ("/romashka/balance/history?from=2026-03-04T00:00:00Z&to=2026-03-04T00:00:00Z", "to"),
    ("/romashka/statement?to=12", "to"),
    ("/romashka/statement?cursor=zzz", "cursor"),
    ("/romashka/statement?cursor=Z%C3%A9", "cursor"),
    ("/romashka/statement?limit=0", "limit"),
    ("/romashka/statement?limit=1001", "limit"),
    ("?debt=perhaps", "debt"),
    ("?expiring_within=-1", "expiring_within"),
    ("?expiring_within=99999999999", "expiring_within"),
    ("?expiring_within=7&cursor=WyJyb21hc2hrYSJd", "cursor"),
    ("?sort=contract", "sort"),
    ("?sort=-balance&cursor=WyJiYWxhbmNlIiw1LCJhIl0", "cursor"),
]


async def test_what_does_not_fit_is_named_with_its_remedy(client: httpx.AsyncClient):
    for path, field in MISFITS:
        answer = await client.get(f"/v1/accounts{path}")
        assert (answer.status_code, path) == (422, path)
        assert answer.json()["type"].endswith(":invalid-request")
        assert [wrong["field"] for wrong in answer.json()["fields"]] == [field], path
        assert answer.json()["fields"][0]["remedy"]


async def test_a_position_to_wait_for_is_a_number(client: httpx.AsyncClient):
    for said in ("soon", "-1", "99999999999999999999", "1.5"):
        answer = await client.get("/v1/accounts", headers={"Hourbook-Min-Position": said})
        assert (answer.status_code, said) == (422, said)
        assert answer.json()["fields"][0]["field"] == "Hourbook-Min-Position"


async def test_what_was_just_recorded_can_be_read(spring: Log, ask: Queries):
    for _ in range(10):
        position = spring.record("romashka", closed("T-1", on="2026-03-05", draws={"spring": 10}))
        answer = await ask.answer("/romashka/balance")
        assert int(answer.headers["Hourbook-Position"]) >= position
    assert answer.json()["balance_minutes"] == 1000


async def test_what_a_worker_elsewhere_applies_can_be_read_as_soon(spring: Log, settings: Settings):
    worker = asyncio.create_task(running.run_worker(settings))
    async with client_of(settings, worker=False) as client:
        answer = await Queries(client, spring).answer("/romashka/balance")
    await end(worker)
    assert answer.json()["balance_minutes"] == 1100


async def test_a_projection_that_is_behind_says_so(spring: Log, settings: Settings, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(read_models, "LATE_SECONDS_MAX", 0.01)
    async with client_of(settings, worker=False) as client:
        waiting = {"Hourbook-Min-Position": str(spring.position)}
        answer = await client.get("/v1/accounts/romashka/balance", headers=waiting)
    assert answer.status_code == 503
    assert answer.json()["type"].endswith(":projection-behind")
    assert answer.headers["Retry-After"]
    assert answer.headers["Hourbook-Position"] == "0"


async def test_ready_is_who_goes_on(spring: Log, client: httpx.AsyncClient, ask: Queries):
    await ask("/romashka/balance")
    assert (await client.get("/health/live")).status_code == 200

    async def ready() -> bool:
        said = (await client.get("/health/ready")).json()
        return [part["name"] for part in said["parts"] if part["state"] == "ready"] == [
            "queries",
            "alerts",
            "documents",
        ]

    await until(ready)


async def test_halted_is_not_ready_in_every_process(spring: Log, settings: Settings):
    spring.record_poison("romashka")
    async with client_of(settings) as beside_the_worker, client_of(settings, worker=False) as elsewhere:
        for client in (beside_the_worker, elsewhere):
            await until_halted(client)
        assert "hourbook_projection_halted" in (await beside_the_worker.get("/metrics")).text


@pytest.mark.parametrize(
    "path",
    [
        "/v1/accounts",
        "/v1/accounts/romashka/balance",
        "/v1/accounts/romashka/tasks/T-1",
        "/v1/accounts/romashka/reports/2026-03",
        "/v1/totals?month=2026-03",
        "/v1/totals?day=2026-03-05",
        "/v1/alerts",
    ],
)
@pytest.mark.parametrize("minimum", ["0", "1000"])
async def test_nothing_is_answered_from_a_halted_projection(
    spring: Log, client: httpx.AsyncClient, path: str, minimum: str
):
    spring.record_poison("romashka")
    await until_halted(client)
    answer = await client.get(path, headers={"Hourbook-Min-Position": minimum})
    assert (answer.status_code, answer.json()["type"]) == (503, "urn:hourbook:problem:projection-halted")
    assert "/health/details" in answer.json()["detail"]
    places = await client.get("/v1/projections")
    assert (places.status_code, {place["halted"] is None for place in places.json()}) == (200, {False})


async def until_halted(client: httpx.AsyncClient) -> None:
    async def faults() -> list[str]:
        ready = await client.get("/health/details")
        return ready.json()["faults"] if ready.status_code == 503 else []

    async def halted() -> bool:
        return len([fault for fault in await faults() if "halted" in fault]) == len(PROJECTIONS)

    await until(halted)
    assert all("PlanetsAligned" in fault for fault in await faults() if "halted" in fault)


@pytest.mark.parametrize("document", ["reports", "acts"])
async def test_documents_name_the_customer_with_its_requisites(log: Log, ask: Queries, document: str):
    requisites = {"inn": "7707083893", "kpp": "770101001", "signatory_name": "Орлова О. О."}
    log.record("romashka", opened(requisites=requisites))
    log.record("lipa", opened(name="ИП Липин"))
    customer = (await ask(f"/romashka/{document}/2026-03"))["customer"]
    assert {name: value for name, value in customer.items() if value} == {"name": "ООО «Ромашка»", **requisites}
    nameless = (await ask(f"/lipa/{document}/2026-03"))["customer"]
    assert {name: value for name, value in nameless.items() if value} == {"name": "ИП Липин"}
