"""An unrelated application on our store, as the README shows it, and what it may rely on: threads, outages, its end."""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from uuid import UUID, uuid4

import pytest
from eventsourcing.application import Application
from eventsourcing.dispatch import singledispatchmethod
from eventsourcing.domain import Aggregate, event
from eventsourcing.persistence import IntegrityError, InterfaceError, StoredEvent, Tracking
from eventsourcing.projection import Projection, ProjectionRunner

from infra.embedded import EmbeddedPostgres
from services.eventsourcing_recorders import HourbookFactory
from services.eventsourcing_recorders.blocking import BlockingTrackingRecorder
from tests.conformance.conftest import environment_of


class Dog(Aggregate):
    """Learns tricks."""

    @event("Registered")
    def __init__(self, name: str) -> None:
        self.name = name
        self.tricks: list[str] = []

    @event("TrickAdded")
    def add_trick(self, trick: str) -> None:
        self.tricks.append(trick)


class DogSchool(Application[UUID]):
    """Registers dogs, and teaches them."""

    def register(self, name: str, *tricks: str) -> int:
        """The notification id of the last event."""
        dog = Dog(name)
        for trick in tricks:
            dog.add_trick(trick)
        return self.save(dog)[-1].notification.id


class Tricks(BlockingTrackingRecorder):
    """How often each trick was taught."""

    def create_table(self) -> None:
        super().create_table()
        self.rows("CREATE TABLE IF NOT EXISTS tricks (trick text PRIMARY KEY, dogs bigint NOT NULL)")

    def taught(self, trick: str) -> int:
        return sum(row["dogs"] for row in self.rows("SELECT dogs FROM tricks WHERE trick = $1", trick))

    def count(self, trick: str, tracking: Tracking) -> None:
        one_more = "INSERT INTO tricks VALUES ($1, 1) ON CONFLICT (trick) DO UPDATE SET dogs = tricks.dogs + 1"
        self.insert_tracking(tracking, [(one_more, trick)])


class TricksProjection(Projection[Tricks]):
    """From the school's events to its tricks."""

    name = "tricks"

    @singledispatchmethod
    def process_event(self, domain_event: object, tracking: Tracking) -> None:
        self.view.insert_tracking(tracking)

    @process_event.register
    def _(self, added: Dog.TrickAdded, tracking: Tracking) -> None:
        self.view.count(added.trick, tracking)


def test_an_application_and_its_projection(environment: dict[str, str]):
    with ProjectionRunner(
        application_class=DogSchool, projection_class=TricksProjection, view_class=Tricks, env=environment
    ) as runner:
        runner.app.register("Fido", "roll over", "fetch")
        last = runner.app.register("Rex", "fetch")
        runner.wait(last, timeout=60)
        assert (runner.projection.view.taught("fetch"), runner.projection.view.taught("roll over")) == (2, 1)


def stored(originator_id: UUID, version: int) -> StoredEvent:
    return StoredEvent(originator_id, version, "topic", b"state")


def test_many_threads_append_without_gaps_and_each_conflict_is_its_own(environment: dict[str, str]):
    factory = HourbookFactory(environment)
    recorder = factory.application_recorder()
    hot = uuid4()

    def append(number: int) -> int | None:
        try:
            recorder.insert_events([stored(hot if number % 4 == 0 else uuid4(), 1)])
        except IntegrityError:
            return None
        return number

    with ThreadPoolExecutor(16) as threads:
        kept = [number for number in threads.map(append, range(200)) if number is not None]
    notifications = recorder.select_notifications(start=1, limit=1000)
    assert len(kept) == 151
    assert [notification.id for notification in notifications] == list(range(1, 152))
    factory.close()
    with pytest.raises(InterfaceError):
        recorder.max_notification_id()


async def test_it_may_be_called_where_another_loop_runs(environment: dict[str, str]):
    factory = HourbookFactory(environment)
    recorder = factory.application_recorder()
    assert recorder.insert_events([stored(uuid4(), 1)]) == [1]
    assert await asyncio.to_thread(recorder.max_notification_id) == 1
    factory.close()


def test_an_outage_is_outlasted(server_folder):
    with EmbeddedPostgres(server_folder) as server:
        factory = HourbookFactory(environment_of(server.url))
        recorder = factory.application_recorder()
        recorder.insert_events([stored(uuid4(), 1)])
        server.kill()
        server.start()
        assert recorder.max_notification_id() == 1
        assert recorder.insert_events([stored(uuid4(), 1)]) == [2]
        factory.close()
