"""The rules of the trade, pure: no clock, no I/O, no ids made here. What varies comes in as data."""
