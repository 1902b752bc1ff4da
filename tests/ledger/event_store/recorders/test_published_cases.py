"""The library's own published cases, unmodified, on our store."""

import inspect
import os
from collections.abc import Iterator
from typing import Any, ClassVar
from unittest import TestCase

import pytest
from eventsourcing.persistence import (
    AggregateRecorder,
    ApplicationRecorder,
    ProcessRecorder,
    Tracking,
    TrackingRecorder,
)
from eventsourcing.tests import application as application_cases
from eventsourcing.tests import persistence as persistence_cases
from eventsourcing.tests import projection as projection_cases
from eventsourcing.utils import Environment, get_topic

from services.ledger.event_store.recorders import Factory
from services.ledger.event_store.recorders.bridge import (
    BridgedAggregateRecorder,
    BridgedApplicationRecorder,
    BridgedProcessRecorder,
    BridgedTrackingRecorder,
)

NOT_APPLICABLE = {
    "TaggedDecisionCountersProjectionTestCase": "needs a recorder of dynamic boundaries; our boundary is the account",
    "TranscoderTestCase": "is about the library's JSON transcoder, which we use as it is",
}
"""Published cases that do not run here, and why."""

# One case looks at the library's own deprecation warning, which must not be an error then.
pytestmark = pytest.mark.filterwarnings("default::DeprecationWarning")


@pytest.fixture
def environment(database_url: str, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """What an application on our store is configured with."""
    settings = {"PERSISTENCE_MODULE": "services.ledger.event_store.recorders", "DATABASE_URL": database_url}
    for name, value in settings.items():
        monkeypatch.setenv(name, value)
    return settings


class OnOurStore(TestCase):
    """A case with a database of its own."""

    id_type: ClassVar[str] = "uuid"

    @pytest.fixture(autouse=True)
    def _store(self, environment: dict[str, str]) -> Iterator[None]:
        self.settings = environment | {"ORIGINATOR_ID_TYPE": self.id_type}
        self.made = Factory(Environment("case", self.settings))
        yield
        self.made.close()


class TestAggregateRecorder(OnOurStore, persistence_cases.AggregateRecorderTestCase):
    def create_recorder(self) -> AggregateRecorder:
        return self.made.aggregate_recorder()


class TestApplicationRecorder(OnOurStore, persistence_cases.ApplicationRecorderTestCase[BridgedApplicationRecorder]):
    EXPECT_CONTIGUOUS_NOTIFICATION_IDS = True

    def create_recorder(self) -> BridgedApplicationRecorder:
        return self.made.application_recorder()

    def test_insert_subscribe(self) -> None:
        self.optional_test_insert_subscribe()


class TestApplicationRecorderWithTextIds(TestApplicationRecorder):
    id_type = "text"

    def new_originator_id(self) -> str:
        return f"account-{super().new_originator_id()}"


class TestTrackingRecorder(OnOurStore, persistence_cases.TrackingRecorderTestCase):
    def create_recorder(self) -> TrackingRecorder:
        return self.made.tracking_recorder()


class TestProcessRecorder(OnOurStore, persistence_cases.ProcessRecorderTestCase):
    def create_recorder(self) -> ProcessRecorder:
        return self.made.process_recorder()


class TestNonInterleaving(OnOurStore, persistence_cases.NonInterleavingNotificationIDsBaseCase):
    def create_recorder(self) -> ApplicationRecorder:
        return self.made.application_recorder()


class View(BridgedTrackingRecorder):
    """A view of its own."""


class TestFactory(OnOurStore, persistence_cases.InfrastructureFactoryTestCase[Factory]):
    def setUp(self) -> None:
        self.env = Environment("TestCase", self.settings)
        super().setUp()

    def expected_factory_class(self) -> type[Factory]:
        return Factory

    def expected_aggregate_recorder_class(self) -> type[AggregateRecorder]:
        return BridgedAggregateRecorder

    def expected_application_recorder_class(self) -> type[ApplicationRecorder]:
        return BridgedApplicationRecorder

    def expected_tracking_recorder_class(self) -> type[TrackingRecorder]:
        return BridgedTrackingRecorder

    def tracking_recorder_subclass(self) -> type[TrackingRecorder]:
        return View

    def expected_process_recorder_class(self) -> type[ProcessRecorder]:
        return BridgedProcessRecorder


class TestApplication(OnOurStore, application_cases.ApplicationTestCase):
    pass


class TestExampleApplication(OnOurStore, application_cases.ExampleApplicationTestCase):
    expected_factory_topic = get_topic(Factory)


class EventCounters(BridgedTrackingRecorder, projection_cases.EventCountersView):
    """Counts events in a table, moved on with the tracking."""

    def create_table(self) -> None:
        super().create_table()
        self.execute("CREATE TABLE IF NOT EXISTS counter (kind text PRIMARY KEY, events bigint NOT NULL)")

    def get_created_event_counter(self) -> int:
        return self._counted("created")

    def get_subsequent_event_counter(self) -> int:
        return self._counted("subsequent")

    def incr_created_event_counter(self, tracking: Tracking) -> None:
        self._count("created", tracking)

    def incr_subsequent_event_counter(self, tracking: Tracking) -> None:
        self._count("subsequent", tracking)

    def _counted(self, kind: str) -> int:
        rows = self.fetch("SELECT events FROM counter WHERE kind = $1", kind)
        return rows[0]["events"] if rows else 0

    def _count(self, kind: str, tracking: Tracking) -> None:
        count = "INSERT INTO counter VALUES ($1, 1) ON CONFLICT (kind) DO UPDATE SET events = counter.events + 1"
        self.insert_tracking(tracking, (count, kind))


class TestEventCountersView(OnOurStore, projection_cases.EventCountersViewTestCase):
    def construct_event_counters_view(self) -> projection_cases.EventCountersView:
        return self.made.tracking_recorder(EventCounters)


class TestProjection(OnOurStore, projection_cases.AggregateEventCountersProjectionTestCase):
    view_class = EventCounters


class TestEventSourcedProjection(OnOurStore, projection_cases.EventSourcedProjectionTestCase):
    pass


def published() -> Iterator[type[TestCase]]:
    """Every case that the library publishes in these modules."""
    for module in (persistence_cases, application_cases, projection_cases):
        for _, case in inspect.getmembers(module, inspect.isclass):
            has_tests = any(name.startswith("test") for name in dir(case))
            if issubclass(case, TestCase) and case.__module__ == module.__name__ and has_tests:
                yield case


def test_every_published_case_runs_or_has_a_reason_not_to():
    running = [case for case in vars(inspect.getmodule(published)).values() if _runs(case)]
    missing = {case.__name__ for case in published() if not any(issubclass(ours, case) for ours in running)}
    assert missing == set(NOT_APPLICABLE)
    assert os.environ.get("PERSISTENCE_MODULE") is None


def _runs(case: Any) -> bool:
    return inspect.isclass(case) and issubclass(case, OnOurStore) and case is not OnOurStore
