"""What is expected to come of an account's hours, from how it has used them so far: a reading, never an event."""
