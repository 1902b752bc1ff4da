-- Documents on their way to customers. What happened is inserted and never changed; what may change is granted column
-- by column: an address can be erased, and a message's state follows from its steps.

-- An address of a customer's, apart from all that names it, so that it can be erased.
CREATE TABLE billing.address (
    address_id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    account_id text COLLATE "C" NOT NULL,
    address    text,
    erased_at  timestamptz,
    erased_by  text,
    erased_for text,
    CHECK ((address IS NULL) = (erased_at IS NOT NULL))
);
CREATE UNIQUE INDEX ON billing.address (account_id, address);

-- Who gets an account's documents from a day on. In force is the list of the latest day, of one day the last one.
CREATE TABLE billing.recipient_list (
    number       bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    account_id   text COLLATE "C" NOT NULL,
    effective_on date NOT NULL,
    recorded_at  timestamptz NOT NULL DEFAULT clock_timestamp(),
    actor        text NOT NULL
);
CREATE INDEX ON billing.recipient_list (account_id, effective_on, number);

CREATE TABLE billing.recipient (
    list       bigint NOT NULL REFERENCES billing.recipient_list,
    ordinal    integer NOT NULL,
    address_id uuid NOT NULL REFERENCES billing.address,
    kinds      text[] NOT NULL,
    lang       text NOT NULL,
    PRIMARY KEY (list, ordinal)
);

-- Somebody, or the calendar, wants an account's documents of a month sent. `state` is `requested` until the sender has
-- come to it. `again`: what was refused or given up is tried once more. `revision`: of the closing that the calendar has
-- taken up.
CREATE TABLE billing.sending_request (
    number       bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    account_id   text COLLATE "C" NOT NULL,
    month        text COLLATE "C" NOT NULL,
    requested_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    actor        text NOT NULL,
    again        boolean NOT NULL,
    revision     integer,
    state        text NOT NULL DEFAULT 'requested',
    reason       text
);
CREATE INDEX ON billing.sending_request (month, account_id, number);
CREATE INDEX ON billing.sending_request (number) WHERE state = 'requested';

-- Which documents there are of an account: the bytes are in billing.document.
CREATE TABLE billing.document_of (
    account_id text COLLATE "C" NOT NULL,
    sha256     bytea NOT NULL REFERENCES billing.document,
    name       text NOT NULL,
    PRIMARY KEY (sha256, account_id)
);
CREATE INDEX ON billing.document_of (account_id);

-- The document of each kind, revision and language that was made for sending, once.
CREATE TABLE billing.month_document (
    account_id text COLLATE "C" NOT NULL,
    month      text COLLATE "C" NOT NULL,
    revision   integer NOT NULL,
    kind       text NOT NULL,
    lang       text NOT NULL,
    sha256     bytea NOT NULL,
    PRIMARY KEY (account_id, month, revision, kind, lang),
    FOREIGN KEY (sha256, account_id) REFERENCES billing.document_of (sha256, account_id)
);
CREATE INDEX ON billing.month_document (sha256);

-- A message to one address, with all that it is composed of but the address.
CREATE TABLE billing.message (
    message_id      uuid PRIMARY KEY,
    account_id      text COLLATE "C" NOT NULL,
    month           text COLLATE "C" NOT NULL,
    revision        integer NOT NULL,
    address_id      uuid NOT NULL REFERENCES billing.address,
    lang            text NOT NULL,
    sender          text NOT NULL,
    subject         text NOT NULL,
    body            text NOT NULL,
    prepared_at     timestamptz NOT NULL DEFAULT clock_timestamp(),
    state           text NOT NULL DEFAULT 'prepared',
    attempts        integer NOT NULL DEFAULT 0,
    unanswered      integer NOT NULL DEFAULT 0,
    changed_at      timestamptz NOT NULL DEFAULT clock_timestamp(),
    tried_since     timestamptz NOT NULL DEFAULT clock_timestamp(),
    next_attempt_at timestamptz DEFAULT clock_timestamp(),
    answer          text
);
CREATE INDEX ON billing.message (month, account_id);
CREATE INDEX ON billing.message (next_attempt_at) WHERE next_attempt_at IS NOT NULL;
CREATE INDEX ON billing.message (state) WHERE state <> 'sent';

-- What a message carries, in order. No address gets a document of one kind and revision twice.
CREATE TABLE billing.message_document (
    message_id uuid NOT NULL REFERENCES billing.message,
    ordinal    integer NOT NULL,
    address_id uuid NOT NULL,
    account_id text COLLATE "C" NOT NULL,
    month      text COLLATE "C" NOT NULL,
    revision   integer NOT NULL,
    kind       text NOT NULL,
    sha256     bytea NOT NULL,
    PRIMARY KEY (message_id, ordinal),
    UNIQUE (address_id, account_id, month, revision, kind)
);

-- Everything that happened to a message, in order.
CREATE TABLE billing.message_step (
    number     bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    message_id uuid NOT NULL REFERENCES billing.message,
    state      text NOT NULL,
    at         timestamptz NOT NULL DEFAULT clock_timestamp(),
    actor      text NOT NULL,
    answer     text
);
CREATE INDEX ON billing.message_step (message_id, number);

-- What became of a document: signed, returned, or neither after all. The last mark counts.
CREATE TABLE billing.document_mark (
    number      bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    sha256      bytea NOT NULL,
    account_id  text COLLATE "C" NOT NULL,
    mark        text NOT NULL,
    marked_on   date NOT NULL,
    recorded_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    actor       text NOT NULL,
    FOREIGN KEY (sha256, account_id) REFERENCES billing.document_of (sha256, account_id)
);
CREATE INDEX ON billing.document_mark (sha256, account_id, number);

-- From when on months that were closed are sent by themselves: since sending by the calendar was first switched on.
CREATE TABLE billing.sending_since (one boolean PRIMARY KEY DEFAULT true CHECK (one), at timestamptz NOT NULL);

GRANT SELECT, INSERT ON
    billing.address, billing.recipient_list, billing.recipient, billing.sending_request, billing.document_of,
    billing.month_document, billing.message, billing.message_document, billing.message_step, billing.document_mark,
    billing.sending_since
TO hourbook_billing;
GRANT UPDATE (address, erased_at, erased_by, erased_for) ON billing.address TO hourbook_billing;
GRANT UPDATE (state, reason) ON billing.sending_request TO hourbook_billing;
GRANT UPDATE (state, attempts, unanswered, changed_at, tried_since, next_attempt_at, answer) ON billing.message
TO hourbook_billing;
