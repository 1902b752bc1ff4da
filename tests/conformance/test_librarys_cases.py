"""The library's own published test cases, unmodified, on Hourbook's recorders. What cannot apply says why, below."""

import inspect
from collections.abc import Iterator
from typing import Any, ClassVar
from unittest import TestCase
from uuid import uuid4

import pytest
from eventsourcing.persistence import Tracking, TrackingRecorder
from eventsourcing.tests import application, persistence, projection
from eventsourcing.utils import Environment, get_topic

from services.eventsourcing_recorders import HourbookFactory
from services.eventsourcing_recorders.blocking import (
    BlockingAggregateRecorder,
    BlockingApplicationRecorder,
    BlockingProcessRecorder,
    BlockingTrackingRecorder,
)

PUBLISHED = (persistence, application, projection)
DCB = "records tagged decisions (DCB), another contract than the aggregate, application, tracking and process recorders"
NOT_RUN = {
    "TaggedDecisionCountersProjectionTestCase.test_event_counters_projection": DCB,
    "TaggedDecisionCountersProjectionTestCase.test_run_forever_raises_projection_error": DCB,
} | {
    f"TranscoderTestCase.{name}": "tests the library's JSON transcoder, which is used as it is"
    for name in dir(persistence.TranscoderTestCase)
    if name.startswith("test")
}


class OnOurStore:
    """Puts the environment of the test's database where the library's cases look for it."""

    environment: dict[str, str]

    @pytest.fixture(autouse=True)
    def _environment(self, environment: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
        self.environment = environment
        for name, value in environment.items():
            monkeypatch.setenv(name, value)


class FromFactory(OnOurStore):
    """Recorders that are made as an application makes them."""

    originator_id_type: ClassVar[str] = "uuid"

    @pytest.fixture(autouse=True)
    def _factory(self, _environment: None) -> Iterator[None]:
        self.factory = HourbookFactory(self.environment | {"ORIGINATOR_ID_TYPE": self.originator_id_type})
        yield
        self.factory.close()


class WithTextIds:
    originator_id_type: ClassVar[str] = "text"

    def new_originator_id(self) -> str:
        return f"account-{uuid4()}"


class TestAggregateRecorder(FromFactory, persistence.AggregateRecorderTestCase):
    def create_recorder(self) -> BlockingAggregateRecorder:
        return self.factory.aggregate_recorder()


class TestAggregateRecorderWithTextIds(WithTextIds, TestAggregateRecorder):
    pass


class TestApplicationRecorder(FromFactory, persistence.ApplicationRecorderTestCase[Any]):
    def create_recorder(self) -> BlockingApplicationRecorder:
        return self.factory.application_recorder()

    def test_insert_subscribe(self) -> None:
        self.optional_test_insert_subscribe()


class TestApplicationRecorderWithTextIds(WithTextIds, TestApplicationRecorder):
    pass


class TestTrackingRecorder(FromFactory, persistence.TrackingRecorderTestCase):
    def create_recorder(self) -> BlockingTrackingRecorder:
        return self.factory.tracking_recorder()


class TestProcessRecorder(FromFactory, persistence.ProcessRecorderTestCase):
    def create_recorder(self) -> BlockingProcessRecorder:
        return self.factory.process_recorder()


class TestProcessRecorderWithTextIds(WithTextIds, TestProcessRecorder):
    pass


class TestNonInterleaving(FromFactory, persistence.NonInterleavingNotificationIDsBaseCase):
    def create_recorder(self) -> BlockingApplicationRecorder:
        return self.factory.application_recorder()


class TestNonInterleavingWithTextIds(WithTextIds, TestNonInterleaving):
    pass


class TrackingRecorderSubclass(BlockingTrackingRecorder):
    pass


class TestInfrastructureFactory(OnOurStore, persistence.InfrastructureFactoryTestCase[HourbookFactory]):
    def setUp(self) -> None:
        self.env = Environment("TestCase", self.environment)
        super().setUp()

    def expected_factory_class(self) -> type[HourbookFactory]:
        return HourbookFactory

    def expected_aggregate_recorder_class(self) -> type[BlockingAggregateRecorder]:
        return BlockingAggregateRecorder

    def expected_application_recorder_class(self) -> type[BlockingApplicationRecorder]:
        return BlockingApplicationRecorder

    def expected_tracking_recorder_class(self) -> type[BlockingTrackingRecorder]:
        return BlockingTrackingRecorder

    def tracking_recorder_subclass(self) -> type[TrackingRecorder]:
        return TrackingRecorderSubclass

    def expected_process_recorder_class(self) -> type[BlockingProcessRecorder]:
        return BlockingProcessRecorder


@pytest.mark.filterwarnings("always:'log' is deprecated:DeprecationWarning")  # the case expects to catch it
class TestApplication(OnOurStore, application.ApplicationTestCase):
    pass


class TestExampleApplication(OnOurStore, application.ExampleApplicationTestCase):
    expected_factory_topic = get_topic(HourbookFactory)


ONE_MORE = """
    INSERT INTO event_counters AS known VALUES ($1, 1) ON CONFLICT (name) DO UPDATE SET counted = known.counted + 1
"""


class EventCounters(BlockingTrackingRecorder, projection.EventCountersView):
    """Counts events in a table of its own, with its tracking."""

    def create_table(self) -> None:
        super().create_table()
        self.rows("CREATE TABLE IF NOT EXISTS event_counters (name text PRIMARY KEY, counted bigint NOT NULL)")

    def get_created_event_counter(self) -> int:
        return self._counted("created")

    def get_subsequent_event_counter(self) -> int:
        return self._counted("subsequent")

    def incr_created_event_counter(self, tracking: Tracking) -> None:
        self._count("created", tracking)

    def incr_subsequent_event_counter(self, tracking: Tracking) -> None:
        self._count("subsequent", tracking)

    def _counted(self, name: str) -> int:
        return sum(row["counted"] for row in self.rows("SELECT counted FROM event_counters WHERE name = $1", name))

    def _count(self, name: str, tracking: Tracking) -> None:
        self.insert_tracking(tracking, [(ONE_MORE, name)])


class TestEventCountersView(FromFactory, projection.EventCountersViewTestCase):
    def construct_event_counters_view(self) -> EventCounters:
        view = self.factory.tracking_recorder(EventCounters)
        assert isinstance(view, EventCounters)
        return view


class TestAggregateEventCountersProjection(OnOurStore, projection.AggregateEventCountersProjectionTestCase):
    view_class = EventCounters


class TestEventSourcedProjection(OnOurStore, projection.EventSourcedProjectionTestCase):
    pass


def published_cases() -> set[str]:
    """Every test method that the library publishes, as `Case.test`; the optional ones too."""
    return {
        f"{case.__name__}.{name}"
        for module in PUBLISHED
        for case in vars(module).values()
        if inspect.isclass(case) and issubclass(case, TestCase) and case.__module__ == module.__name__
        for name in dir(case)
        if name.startswith(("test", "optional_test"))
    }


def cases_run_here() -> set[str]:
    """The published test methods that a class of this module inherits as they are, or calls."""
    ours = [each for each in globals().values() if inspect.isclass(each) and issubclass(each, TestCase)]
    called = {"optional_test_insert_subscribe": "test_insert_subscribe"}
    return {
        f"{case.__name__}.{name}"
        for each in ours
        for case in each.__mro__
        if case.__module__ in {module.__name__ for module in PUBLISHED}
        for name in dir(case)
        if name.startswith(("test", "optional_test"))
        and getattr(each, name) is getattr(case, name)
        and hasattr(each, called.get(name, name))
    }


def test_every_published_case_is_run_or_says_why_not():
    assert published_cases() - cases_run_here() == set(NOT_RUN)
    assert len(cases_run_here()) > 30
