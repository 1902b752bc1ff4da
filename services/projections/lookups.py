"""What a query looks for and does not find."""


class UnknownAccount(LookupError):
    """No account of this id was ever opened."""


class UnknownTask(LookupError):
    """Nothing was ever recorded about a task of this id."""
