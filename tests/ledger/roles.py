"""As which role a test works that is several parts at once."""

EVERY = "none"
"""As none but its login, which owns everything: what each role may do has tests of its own."""
