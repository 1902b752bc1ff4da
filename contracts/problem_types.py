"""The one catalogue of problems: what can be wrong, and what the caller can do about it."""

from typing import NamedTuple


class ProblemType(NamedTuple):
    """A kind of problem: what it is called, its HTTP status, what is wrong, and what the caller can do."""

    slug: str
    status: int
    title: str
    remedy: str


NOT_FOUND = (
    ProblemType("account-not-found", 404, "There is no such account.", "Open the account first, or check its id."),
    ProblemType("task-not-found", 404, "Nothing is known of this task.", "Check the task's id and its account."),
    ProblemType(
        "package-not-found", 404, "There is no such package.",
        "Check the id: that of a package, or of a compensation, of this account.",
    ),
    ProblemType(
        "invoice-not-found", 404, "There is no such invoice.", "Check the invoice's number and its account.",
    ),
    ProblemType(
        "document-not-found", 404, "No such document was sent.", "Check the SHA-256, and whose document it is."
    ),
    ProblemType("payment-not-found", 404, "There is no such payment.", "Check the payment's id."),
    ProblemType("key-not-found", 404, "There is no such key within your own rights.", "Check the key's id."),
    ProblemType("not-found", 404, "There is nothing at this address.", "GET /docs lists what there is."),
)  # fmt: skip

DOOR = (
    ProblemType("key-ended", 409, "The key does nothing any more, whatever its secret.", "Make another key."),
    ProblemType(
        "not-authenticated", 401, "The credential is missing, or it does not hold.",
        "Send the header Authorization: Bearer, with a key or a token that holds.",
    ),
    ProblemType(
        "not-allowed", 403, "This principal may not do this.",
        "Ask for the right that the problem names, or use another key.",
    ),
    ProblemType(
        "identity-provider-unavailable", 503, "The issuer of tokens is unavailable, and none of its keys is known.",
        "Try again after the time in Retry-After.",
    ),
)  # fmt: skip

HTTP = (
    ProblemType("malformed-request", 400, "This is not a request of HTTP/1.1.", "Check the client or the proxy."),
    ProblemType(
        "foreign-origin", 403, "A page of another site sent this request.",
        "Send it from a page of this site, or name that site in HOURBOOK_ALLOWED_HOSTS.",
    ),
    ProblemType("method-not-allowed", 405, "This address does not know that method.", "Use one of the header Allow."),
    ProblemType("body-too-large", 413, "The body, or a line of it, is too large.", "Send it in smaller parts."),
    ProblemType("uri-too-long", 414, "The address is too long.", "Leave out what is not needed from the query."),
    ProblemType(
        "unsupported-media-type", 415, "The body is of a media type that is not read here.",
        "Send the media type that the problem names, in the header Content-Type.",
    ),
    ProblemType(
        "unknown-host", 421, "This service does not answer under that name.",
        "Use a name of this service, or add the name to HOURBOOK_ALLOWED_HOSTS.",
    ),
    ProblemType(
        "too-many-requests", 429, "Too much is open or asked for at once.",
        "Try again after the time in Retry-After; close streams that nobody reads.",
    ),
    ProblemType("headers-too-large", 431, "The headers are too large.", "Send fewer or shorter headers and cookies."),
)  # fmt: skip

STATE_OF_THE_ACCOUNT = (
    ProblemType(
        "account-already-open", 409, "This account is open already.",
        "Use the account as it is, or choose another id.",
    ),
    ProblemType(
        "package-already-purchased", 409, "A package with this id was bought already.",
        "Give the new package an id of its own.",
    ),
    ProblemType(
        "nothing-to-refund", 409, "Nothing is left in this package that could be refunded.",
        "Refund a package that has hours left and has neither ended nor been refunded.",
    ),
    ProblemType(
        "task-already-closed", 409, "This task is already closed.",
        "Reopen it first if it is to be closed anew.",
    ),
    ProblemType(
        "task-not-closed", 409, "This task is not closed.",
        "Only a closed task can be reopened or corrected; check the id.",
    ),
    ProblemType(
        "task-already-warranty", 409, "This task is marked as warranty already.",
        "Nothing is left to do: its closings cost nothing.",
    ),
    ProblemType(
        "balance-not-negative", 409, "Work can be suspended only while the balance is negative.",
        "Suspend when the customer owes hours.",
    ),
    ProblemType("already-suspended", 409, "Work is suspended already.", "Nothing is left to do."),
    ProblemType(
        "task-not-planned", 409, "This task has no plan.",
        "Nothing is left to do; a closing ends a task's plan.",
    ),
    ProblemType("not-suspended", 409, "Work is not suspended.", "Nothing is left to do: work goes on."),
    ProblemType(
        "month-already-closed", 409, "This month is closed already.",
        "Close a later month; what takes effect in this one is booked as a correction.",
    ),
    ProblemType(
        "month-not-closed", 409, "Only the month closed last can be reopened.",
        "Reopen the last closed month.",
    ),
    ProblemType(
        "upd-not-possible", 409, "The act of this month cannot be written as an УПД.",
        "Give the requisites that the problem names; or close the month; or make an УКД, where an act takes back.",
    ),
    ProblemType(
        "account-unreadable", 409, "The recorded events of this account do not fit together.",
        "Nothing is recorded on this account until its operator has found out why; the other accounts go on.",
    ),
)  # fmt: skip

BILLING = (
    ProblemType(
        "seller-incomplete", 409, "The seller's requisites lack what this document needs.",
        "Have the fields that the problem names added to the file of HOURBOOK_SELLER_FILE.",
    ),
    ProblemType(
        "invoice-not-open", 409, "This invoice is paid, or withdrawn already.",
        "Nothing is left to do; issue another one where another is wanted.",
    ),
    ProblemType(
        "payment-not-open", 409, "This payment is recorded, or is about to be.",
        "Nothing is left to do; where it is about to be, accept it again.",
    ),
)  # fmt: skip

NOT_RECORDABLE = (
    ProblemType(
        "invalid-request", 422, "The request does not fit.",
        "Put right the fields that the problem names, as it says.",
    ),
    ProblemType(
        "unknown-plan", 422, "No plan of that name was in force at the purchase.",
        "Choose one of the plans in GET /v1/terms.",
    ),
    ProblemType(
        "payment-exceeds-debt", 422, "More minutes are paid than are owed.",
        "Pay at most owed_minutes of the balance.",
    ),
    ProblemType(
        "refund-exceeds-price", 422, "More is refunded than is not booked yet of the package's price.",
        "Refund at most that; without an amount it is refunded in full.",
    ),
    ProblemType("month-not-over", 422, "This month is not over.", "Close it once it has ended in Moscow time."),
    ProblemType(
        "idempotency-key-reused", 422, "This idempotency key was used with another command.",
        "Give every command a key of its own; repeat a key only with the very same command.",
    ),
    ProblemType(
        "effective-in-future", 422, "This lies more than 5 minutes in the future.",
        "Record what has happened, once it has; check the sender's clock.",
    ),
    ProblemType(
        "worked-time-not-in-quantum", 422,
        "Worked or estimated time is a positive multiple of the quantum, 10 minutes.",
        "Round it to whole quanta.",
    ),
    ProblemType(
        "task-not-confirmed", 422, "The customer has not confirmed this task.",
        "Close the task here once the customer has confirmed it, and say when.",
    ),
    ProblemType(
        "confirmed-before-closed", 422, "The task was confirmed before it was closed.",
        "Give the confirmation that followed the closing.",
    ),
    ProblemType(
        "started-after-closed", 422, "The work started after the task was closed.",
        "Give a start that is not after closed_at.",
    ),
    ProblemType(
        "urgency-not-agreed-before-start", 422, "Urgent work needs the customer's agreement before it starts.",
        "Give started_at and an urgency_agreed_at not after it, or close the task in another category.",
    ),
    ProblemType(
        "off-hours-not-requested-before-start", 422,
        "Work outside working hours needs the customer's request before it starts.",
        "Give started_at and an off_hours_requested_at not after it, or close the task in another category.",
    ),
    ProblemType(
        "specification-not-agreed", 422,
        "A specification is paid from the package only if the customer agreed to that before it counts.",
        "Give a package_use_agreed_at not after closed_at and confirmed_at, or close the task as work.",
    ),
    ProblemType(
        "time-entries-do-not-add-up", 422, "The time entries do not add up to the worked time.",
        "Correct the entries or worked_minutes so that they agree.",
    ),
    ProblemType(
        "evidence-does-not-add-up", 422, "The seconds of the evidence, rounded as it says, are not the worked time.",
        "Correct raw_seconds, entries or worked_minutes so that they agree, or name no rounding.",
    ),
    ProblemType(
        "work-was-in-working-hours", 422,
        "A time entry of off-hours work lies in working hours, 9:00 to 18:00 Moscow time of a working day.",
        "Close that work as a task of another category.",
    ),
    ProblemType(
        "clock-moves-forward-only", 422, "The test clock moves forward only.",
        "Give an instant that is not before the clock's, nor before a recorded event.",
    ),
)  # fmt: skip

FAILURES = (
    ProblemType(
        "internal-error", 500, "The service has failed at this request.",
        "Try again with the same key; if it persists, give the operator the id in `instance`.",
    ),
    ProblemType(
        "checkpoint-behind", 503, "No checkpoint covers this yet.",
        "Try again: a checkpoint is made every second.",
    ),
    ProblemType(
        "projection-behind", 503, "The projection has not come that far yet.",
        "Try again after the time in Retry-After.",
    ),
    ProblemType(
        "projection-halted", 503, "The projection has halted.",
        "Its operator has to look at it: GET /health/details says why.",
    ),
    ProblemType(
        "figures-differ", 503, "The figures of this closed month are not those that it was closed with.",
        "Its operator has to run hourbook audit verify --full, and to rebuild monthly_reports.",
    ),
    ProblemType(
        "account-halted", 503, "The account has halted in this projection.",
        "Its operator has to look at it: GET /health/details names the event.",
    ),
    ProblemType(
        "ledger-unavailable", 503, "The ledger is unavailable.",
        "Try again; send a command again with the same key.",
    ),
    ProblemType(
        "log-went-back", 503, "The log has gone back.",
        "Its operator has to run hourbook restored; then send a command again with the same key.",
    ),
    ProblemType(
        "sending-off", 409, "Nothing can be sent.",
        "Name a mail server with HOURBOOK_SMTP_URL and a sender with HOURBOOK_MAIL_FROM.",
    ),
    ProblemType(
        "billing-unavailable", 503, "Billing is unavailable.",
        "Try again after the time in Retry-After; send what was to be done again with the same key.",
    ),
    ProblemType(
        "projections-unavailable", 503, "The projections are unavailable.",
        "Try again after the time in Retry-After.",
    ),
)  # fmt: skip

CATALOGUE = {
    kind.slug: kind for kind in (*NOT_FOUND, *DOOR, *HTTP, *STATE_OF_THE_ACCOUNT, *BILLING, *NOT_RECORDABLE, *FAILURES)
}
"""Every problem that a caller can meet, by its slug. Titles, statuses and remedies stand here and nowhere else."""
