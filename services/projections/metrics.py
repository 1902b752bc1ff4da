"""What an operator watches: where each projection stands, how late it is, and whether it has halted."""

from datetime import UTC, datetime

from prometheus_client import Counter, Gauge, Histogram

POSITION = Gauge("hourbook_projection_position", "Position of the last event applied.", ["projection", "log"])
LAG = Gauge("hourbook_projection_lag_events", "Events of the log not applied yet.", ["projection", "log"])
LAG_SECONDS = Gauge(
    "hourbook_projection_lag_seconds", "For how long an event has been waiting to be applied.", ["projection", "log"]
)
HALTED = Gauge("hourbook_projection_halted", "1 when the projection does not go on by itself.", ["projection", "log"])
HALTED_ACCOUNTS = Gauge(
    "hourbook_projection_halted_accounts", "Accounts that do not go on; the others do.", ["projection", "log"]
)
EVENTS = Counter("hourbook_projection_events", "Events applied.", ["projection", "log"])
DELAY = Histogram(
    "hourbook_projection_delay_seconds",
    "From the recording of a batch's last event to when queries see it.",
    ["projection", "log"],
    buckets=(0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 1, 5, 60, 3600),
)
MESSAGES_REFUSED = Counter(
    "hourbook_projection_messages_refused", "Messages on NATS that are not in the log, and were dropped.", ["log"]
)
OPEN_ALERTS = Gauge("hourbook_alerts_open", "Alerts that are open.", ["kind"])
DELIVERIES = Counter("hourbook_webhook_deliveries", "Attempts to deliver an alert, by what came of them.", ["outcome"])


def applied(projection: str, log: str, events: int, recorded_at: datetime) -> None:
    """Count a batch that is committed: how many events it has, and when the last of them was recorded."""
    EVENTS.labels(projection, log).inc(events)
    delay = datetime.now(UTC) - recorded_at
    DELAY.labels(projection, log).observe(delay.total_seconds())
