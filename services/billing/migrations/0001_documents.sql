-- The bytes of every document that was handed out or sent, by their hash. Nothing here is changed or deleted.
CREATE TABLE billing.document (
    sha256 bytea PRIMARY KEY CHECK (sha256 = sha256(content)),
    media_type text NOT NULL,
    content bytea NOT NULL,
    made_at timestamptz NOT NULL DEFAULT now()
);

GRANT USAGE ON SCHEMA billing TO hourbook_billing;
GRANT SELECT ON billing.migration TO hourbook_billing;
GRANT SELECT, INSERT ON billing.document TO hourbook_billing;
