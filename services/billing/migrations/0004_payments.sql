-- Payments in, each once, as the bank's statements say. Rows are added and never changed; only a claim is given up again.
CREATE TABLE billing.payment (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    document_number text NOT NULL,
    document_date date NOT NULL,
    amount_kopecks bigint NOT NULL CHECK (amount_kopecks > 0),
    payer_account text NOT NULL,
    receiver_account text NOT NULL,
    occurrence integer NOT NULL CHECK (occurrence > 0),
    received_on date NOT NULL,
    payer_inn text,
    payer_name text NOT NULL,
    purpose text NOT NULL,
    read_at timestamptz NOT NULL,
    read_by text NOT NULL,
    UNIQUE (document_number, document_date, amount_kopecks, payer_account, receiver_account, occurrence)
);

-- What a payment is to be recorded as, said before it is: whoever goes on after a crash sends the same command.
CREATE TABLE billing.payment_claim (
    payment_id bigint PRIMARY KEY REFERENCES billing.payment,
    account_id text NOT NULL,
    invoice_number text,
    command text NOT NULL CHECK (command IN ('PurchasePackage', 'PayDebt')),
    body jsonb NOT NULL,
    at timestamptz NOT NULL,
    actor text NOT NULL
);

CREATE TABLE billing.payment_recorded (
    payment_id bigint PRIMARY KEY REFERENCES billing.payment,
    account_id text NOT NULL,
    invoice_number text,
    command text NOT NULL,
    event_id text NOT NULL,
    at timestamptz NOT NULL,
    actor text NOT NULL
);

CREATE TABLE billing.payment_set_aside (
    payment_id bigint PRIMARY KEY REFERENCES billing.payment,
    reason text NOT NULL,
    at timestamptz NOT NULL,
    actor text NOT NULL
);

CREATE INDEX invoice_of_payer ON billing.invoice (customer_inn);

GRANT SELECT, INSERT ON billing.payment, billing.payment_recorded, billing.payment_set_aside TO hourbook_billing;
GRANT SELECT, INSERT, DELETE ON billing.payment_claim TO hourbook_billing;
