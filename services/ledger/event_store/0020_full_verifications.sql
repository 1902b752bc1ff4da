-- When a log was gone over from its first event last: what is new is verified every few seconds, everything once a day.
ALTER TABLE ledger.verification ADD COLUMN full_at timestamptz;
