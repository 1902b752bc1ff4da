"""What an operator watches of sending."""

from prometheus_client import Counter, Gauge

ATTEMPTS = Counter("hourbook_mail_attempts", "Messages that were tried, by what came of it.", ["outcome"])
MESSAGES = Gauge("hourbook_mail_messages", "Messages that are not sent, by state.", ["state"])
OLDEST = Gauge("hourbook_mail_oldest_unsent_seconds", "For how long the oldest of the messages still tried has waited.")
REQUESTS = Gauge("hourbook_mail_requests", "Accounts whose documents were requested and are not prepared yet.")
SERVER_UP = Gauge("hourbook_mail_server_up", "1 while the mail server lets this sender in.")
