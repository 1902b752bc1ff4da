"""The story of one account's balance, a line an event, in words that a person follows: as table, NDJSON, CSV or PDF."""
