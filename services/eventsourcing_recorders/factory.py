"""Makes the blocking recorders of an application from its environment."""

from types import TracebackType
from typing import TypeVar

from eventsourcing.persistence import InfrastructureFactory
from eventsourcing.utils import Environment, EnvType, resolve_topic, strtobool

from services.eventsourcing_recorders.blocking import (
    BlockingAggregateRecorder,
    BlockingApplicationRecorder,
    BlockingProcessRecorder,
    BlockingTrackingRecorder,
)
from services.eventsourcing_recorders.datastore import Datastore
from services.eventsourcing_recorders.loop_thread import LoopThread
from services.eventsourcing_recorders.settings import PostgresSettings

BlockingRecorder = TypeVar("BlockingRecorder", BlockingAggregateRecorder, BlockingTrackingRecorder)


class HourbookFactory(InfrastructureFactory[BlockingTrackingRecorder]):
    """One pool of connections and one thread for all recorders of an application; tables are called after it."""

    CREATE_TABLE = "CREATE_TABLE"

    def __init__(self, env: Environment | EnvType | None) -> None:
        super().__init__(env)
        self._loop = LoopThread(Datastore.connected(PostgresSettings.read(self.env)))

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        super().__exit__(kind, error, trace)
        self.close()

    def close(self) -> None:
        """Close all connections and end the thread. A factory that is forgotten does so by itself."""
        self._loop.close()

    def aggregate_recorder(self, purpose: str = "events") -> BlockingAggregateRecorder:
        table = f"{self._name('stored')}_{purpose}"
        return self._made(BlockingAggregateRecorder(self._loop, events_table_name=table))

    def application_recorder(self) -> BlockingApplicationRecorder:
        recorder_class = self._configured(self.APPLICATION_RECORDER_TOPIC, BlockingApplicationRecorder)
        return self._made(recorder_class(self._loop, events_table_name=f"{self._name('stored')}_events"))

    def tracking_recorder(
        self, tracking_recorder_class: type[BlockingTrackingRecorder] | None = None
    ) -> BlockingTrackingRecorder:
        recorder_class = tracking_recorder_class or self._configured(
            self.TRACKING_RECORDER_TOPIC, BlockingTrackingRecorder
        )
        return self._made(recorder_class(self._loop, tracking_table_name=f"{self._name('notification')}_tracking"))

    def process_recorder(self) -> BlockingProcessRecorder:
        recorder_class = self._configured(self.PROCESS_RECORDER_TOPIC, BlockingProcessRecorder)
        return self._made(
            recorder_class(
                self._loop,
                events_table_name=f"{self._name('stored')}_events",
                tracking_table_name=f"{self._name('notification')}_tracking",
            )
        )

    def _name(self, nameless: str) -> str:
        return self.env.name.lower() or nameless

    def _configured(self, variable: str, default: type) -> type:
        topic = self.env.get(variable)
        return resolve_topic(topic) if topic else default

    def _made(self, recorder: BlockingRecorder) -> BlockingRecorder:
        if strtobool(self.env.get(self.CREATE_TABLE) or "yes"):
            recorder.create_table()
        return recorder
