"""How an account would have gone with other purchases or other terms: a reading, never an event."""
