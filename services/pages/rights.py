"""What a person lacks for something, as the routes judge it (`services/access/needs.py`)."""

from contracts.access import Me, Right


def lacking(me: Me, right: Right | None, *, listing: bool = False, whole: bool = False) -> Right | None:
    """The right that is missing; None where the person may.

    `listing`: it shows what is in the scope, and over all accounts needs the right to all. `whole`: it shows all
    accounts at once, and so is for nobody with a list of accounts.
    """
    if right and right not in me.rights:
        return right
    unlisted = me.accounts is None and Right.ALL_ACCOUNTS not in me.rights
    if (listing and unlisted) or (whole and me.accounts is not None):
        return Right.ALL_ACCOUNTS
    return None
