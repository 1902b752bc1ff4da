"""A seller's portal through a year: people work, confirm, reopen, move, delete and write time late, all at random.

The connector makes its rounds meanwhile: the portal refuses, cuts connections and answers halves, and the connector is
killed before and after the ledger has its commands. What has to come of it is worked out here from the portal's final
state by the rulebook alone, with no line of the connector's.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random

import httpx
from starlette.responses import JSONResponse, PlainTextResponse

from contracts.quantities import month_of
from services.bitrix24.comparison import Comparison, compared
from services.bitrix24.pace import Pace
from services.bitrix24.portal import Portal, PortalFault
from services.bitrix24.recording import Rounds
from services.bitrix24.settings import Connector
from services.process.operator_error import OperatorError
from tests.bitrix24.fake_portal import FakePortal, Task, problem
from tests.bitrix24.trade import CUSTOMERS, OKA, SELLERS, VOLGA, WEBHOOK, at

ELSEWHERE = 9
"""A group that is no account's."""

ACCOUNTS = {OKA: "oka", VOLGA: "volga"}
CONNECTOR = Connector.model_validate(
    {
        "webhook": WEBHOOK,
        "since": "2025-01-01",
        "accounts": {str(group): account for group, account in ACCOUNTS.items()},
        "categories": {"tags": {"срочно": "urgent"}},
        "consents": {"urgency_field": "UF_AUTO_6"},
        "apply": ["correct", "reopen", "move", "delete"],
        "answers": {"url": "https://hours.example"},
    }
)
BEGINS = at("2025-01-01 09:00")
"""So that a whole year of it is over: the ledger takes nothing of the future (rule 2.1)."""
COEFFICIENTS = {"regular": 2, "urgent": 3}
"""In halves (rule 5.2)."""


class Killed(Exception):
    """The connector's process has ended at that moment."""


class Mortal(httpx.AsyncBaseTransport):
    """Asks Hourbook for a connector that dies before some questions, and after others without having heard."""

    def __init__(self, inner: httpx.AsyncBaseTransport, chance: Random) -> None:
        self._inner = inner
        self._chance = chance
        self.deaths_in_a_thousand = 0

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """The answer, unless the connector is dead by then."""
        if self._chance.randrange(1000) < self.deaths_in_a_thousand:
            raise Killed
        answer = await self._inner.handle_async_request(request)
        if self._chance.randrange(1000) < self.deaths_in_a_thousand:
            await answer.aclose()
            raise Killed
        return answer

    async def aclose(self) -> None:
        """Close what is asked through."""
        await self._inner.aclose()


class Cutting(httpx.ASGITransport):
    """Asks the portal over a line that is cut now and then, before the portal has heard or after."""

    def __init__(self, fake: FakePortal, chance: Random) -> None:
        super().__init__(fake.app)
        self._chance = chance
        self.cuts_in_a_hundred = 0

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """The answer, where it comes through."""
        if self._chance.randrange(100) < self.cuts_in_a_hundred:
            raise httpx.ConnectError("cut")
        answer = await super().handle_async_request(request)
        if self._chance.randrange(100) < self.cuts_in_a_hundred:
            raise httpx.ReadError("cut")
        return answer


@dataclass
class Year:
    """So many tasks over so many days, and a round after each so many of these.

    `rest` moves the clock by which the portal counts requests.
    """

    fake: FakePortal
    now: Callable[[], float]
    rest: Callable[[float], object]
    hourbook: httpx.AsyncClient
    mortal: Mortal
    tasks: int
    days: int
    every_days: int
    chance: Random
    deaths: int = 0
    outages: int = 0
    faulty_rounds: int = 0
    whole_rounds: int = 0
    moment: datetime = BEGINS

    def __post_init__(self) -> None:
        self.line = Cutting(self.fake, self.chance)
        self.client = httpx.AsyncClient(transport=self.line)
        self.rounds = self._begun()

    def _begun(self) -> Rounds:
        portal = Portal(CONNECTOR.webhook, self.client, Pace(self.now, self.rest))
        return Rounds(portal, self.hourbook, CONNECTOR)

    async def play(self) -> None:
        """The whole of it; at the end everything is put right by people, and the connector left in peace."""
        for day in range(self.days):
            self.moment = BEGINS + timedelta(days=day)
            due = self.tasks * (day + 1) // self.days - self.tasks * day // self.days
            for _ in range(due):
                self._new_task()
            for _ in range(due):
                self._something_happens()
            if day % self.every_days == 0:
                self._disturb()
                await self._round()
                await self.rest(3600)
        self._clear_up()
        self.fake.faults.clear()
        self.mortal.deaths_in_a_thousand = self.line.cuts_in_a_hundred = 0
        for _ in range(2):
            before = self.whole_rounds
            while self.whole_rounds == before:
                await self._round()

    async def found(self) -> list[Comparison]:
        """How portal and ledger compare, month by month."""
        portal = Portal(CONNECTOR.webhook, self.client, Pace(self.now, self.rest))
        last = BEGINS + timedelta(days=self.days + 40)
        months = sorted({month_of(BEGINS + timedelta(days=day)) for day in range((last - BEGINS).days)})
        return [await compared(portal, self.hourbook, CONNECTOR, month) for month in months]

    def expected(self) -> dict[tuple[str, str], tuple[int, str, datetime]]:
        """By the rulebook: account and task, its minutes, its category, and when it counts."""
        found = {}
        for task in self.fake.tasks.values():
            if (confirmed_at := _confirmed_at(task)) and task.group in ACCOUNTS:
                seconds = sum(int(entry["SECONDS"]) for entry in task.entries)
                category = "urgent" if "срочно" in task.tags else "regular"
                minutes = (seconds + 599) // 600 * 10
                found[ACCOUNTS[task.group], f"B24-{task.id}"] = (minutes, category, confirmed_at)
        return found

    def _later(self) -> datetime:
        """A moment of this day, each after the last."""
        self.moment += timedelta(minutes=self.chance.randrange(1, 10))
        return self.moment

    def _new_task(self) -> None:
        began = self._later()
        tags = ("срочно",) if self.chance.random() < 0.2 else ()
        agreed = {"ufAuto6": (began - timedelta(minutes=30)).isoformat()}
        group = self.chance.choice([OKA, OKA, VOLGA, ELSEWHERE])
        task = self.fake.create(group, began, tags=tags, own=agreed, estimate=self.chance.choice([0, 3600, 5000]))
        self._work(task)
        if self.chance.random() < 0.8:
            self._confirm(task)

    def _work(self, task: int) -> None:
        self.fake.work(task, SELLERS, self._later(), self.chance.randrange(1, 7200))

    def _confirm(self, task: int) -> None:
        if self.fake.tasks[task].status == 5:
            self.fake.set_status(task, 3, SELLERS, self._later())
        self.moment += timedelta(hours=1)
        self.fake.set_status(task, 4, SELLERS, self._later())
        self.fake.set_status(task, 5, CUSTOMERS, self._later())

    def _something_happens(self) -> None:
        """To any task, old or new."""
        task = self.fake.tasks[self.chance.choice(list(self.fake.tasks))]
        match self.chance.randrange(9):
            case 0:
                self.fake.set_status(task.id, 3, SELLERS, self._later())
            case 1 | 2:
                self._confirm(task.id)
            case 3:
                self.fake.move(task.id, self.chance.choice([OKA, VOLGA, ELSEWHERE]), SELLERS, self._later())
            case 4:
                self.fake.delete(task.id)
            case 5 | 6:
                self._work(task.id)
            case 7 if len(task.entries) > 1:
                self.fake.unwork(task.id, int(task.entries[-1]["ID"]))
            case _:
                tags = () if task.tags else ("срочно",)
                self.fake.edit(task.id, self._later(), tags=tags, estimate=self.chance.choice([0, 1800, 7200]))

    def _disturb(self) -> None:
        """For the next round."""
        busy = problem(503, "QUERY_LIMIT_EXCEEDED")
        patience = problem(429, "OVERLOAD_LIMIT", **{"Retry-After": "7"})
        half = JSONResponse({"result": {"tasks": [{"id": "1", "title": "half"}]}})
        broken = PlainTextResponse("<html>", 502)
        wrong = JSONResponse({"result": {"tasks": [{"id": True}]}})
        self.fake.faults[:] = self.chance.choices([busy, patience, half, broken, wrong], k=self.chance.randrange(3))
        self.line.cuts_in_a_hundred = self.chance.choice([0, 0, 5])
        self.mortal.deaths_in_a_thousand = self.chance.choice([0, 20])

    async def _round(self) -> None:
        try:
            await self.rounds.next()
            self.whole_rounds += 1
        except PortalFault:
            self.faulty_rounds += 1
        except (httpx.HTTPError, OperatorError):  # a busy machine, on which the ledger has no time
            self.outages += 1
        except Killed:
            self.deaths += 1
            self.rounds = self._begun()

    def _clear_up(self) -> None:
        """Somebody writes the time of what is done without any."""
        for task in self.fake.tasks.values():
            if task.status == 5 and not task.entries:
                self._work(task.id)


def _confirmed_at(task: Task) -> datetime | None:
    """When the customer has accepted it, where that is how it stands (rule 5.1)."""
    statuses = [line for line in task.history if line["field"] == "STATUS"]
    if task.status != 5 or not statuses or statuses[-1]["value"] != {"from": "4", "to": "5"}:
        return None
    return datetime.fromisoformat(statuses[-1]["createdDate"])
