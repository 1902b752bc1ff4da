"""What an operator watches of the connector."""

from prometheus_client import Counter, Gauge

ROUNDS = Counter("hourbook_portal_rounds", "Rounds of the connector, by what came of them.", ["outcome"])
READ_AT = Gauge("hourbook_portal_read_timestamp_seconds", "When the portal was read whole last.")
WEBHOOK_REFUSED = Gauge("hourbook_portal_webhook_refused", "1 while the portal refuses the webhook.")
WAITED = Gauge("hourbook_portal_waited_seconds", "For how long the last round waited for the portal's limits.")
TASKS = Gauge("hourbook_portal_tasks", "Tasks that wait for somebody, by why.", ["outcome"])
