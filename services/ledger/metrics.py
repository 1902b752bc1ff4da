"""What an operator watches: how much is recorded, how many commands share a commit, how far the relay is."""

from prometheus_client import Counter, Gauge, Histogram

EVENTS = Counter("hourbook_ledger_events", "Events appended by this process.", ["log"])
QUEUE = Gauge("hourbook_ledger_queue_commands", "Commands that wait for the next batch.", ["log"])
BATCH = Histogram(
    "hourbook_ledger_batch_commands",
    "Commands recorded in one commit.",
    ["log"],
    buckets=(1, 2, 4, 8, 16, 32, 64, 128, 256, 512),
)
APPEND = Histogram(
    "hourbook_ledger_append_seconds",
    "From handing a batch to PostgreSQL to knowing that it is on disk.",
    ["log"],
    buckets=(0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 1, 5, 20),
)
RELAY_LAG = Gauge("hourbook_relay_lag_events", "Events of the log that its stream does not have yet.", ["log"])
REPLICAS_BEHIND = Gauge(
    "hourbook_stream_replicas_behind",
    "Copies of the log's stream on NATS that are not complete now.",
    ["log"],
)
CHECKPOINT_AGE = Gauge(
    "hourbook_audit_checkpoint_age_seconds",
    "For how long an event has had no checkpoint.",
    ["log"],
)
EXPIRY_OVERDUE = Gauge(
    "hourbook_expiry_overdue_seconds",
    "How long ago a package ended whose end is not recorded.",
    ["log"],
)
RELAYED = Gauge("hourbook_relay_position", "Position of the last event that JetStream acknowledged.", ["log"])
RELAY_REFUSED = Gauge(
    "hourbook_relay_refused",
    "1 while nothing is published: the log's stream is another ledger's, or NATS refuses what the relay has to do.",
    ["log"],
)
CHECKPOINT = Gauge("hourbook_audit_checkpoint_size", "Events that the newest signed checkpoint covers.", ["log"])
VERIFIED = Gauge("hourbook_audit_verified_size", "Events that the last verification found good.", ["log"])
AUDIT_FAULTS = Gauge(
    "hourbook_audit_faults", "What the last verification found wrong; anything but 0 is an alarm.", ["log"]
)
AUDIT_HINDRANCES = Gauge(
    "hourbook_audit_hindrances",
    "How many of signer and witnesses cannot do their work; anything but 0 is an alarm.",
    ["log"],
)
