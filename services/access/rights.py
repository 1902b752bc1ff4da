"""The table of rights: one piece of data for routes, lines of NDJSON, streams, the command line and pages."""

from collections.abc import Iterable, Mapping
from types import MappingProxyType

from contracts.access import Right, Role

RIGHTS_OF: Mapping[Role, frozenset[Right]] = MappingProxyType(
    {
        Role.RECORDER: frozenset({Right.TASKS, Right.BALANCES, Right.EVIDENCE}),
        Role.FINANCE: frozenset(
            {Right.MONEY, Right.MONTHS, Right.BALANCES, Right.DOCUMENTS, Right.ALL_ACCOUNTS, Right.EVIDENCE}
            | {Right.PERSONAL}
        ),
        Role.MANAGER: frozenset({Right.TASKS, Right.BALANCES, Right.DOCUMENTS, Right.ALL_ACCOUNTS, Right.EVIDENCE}),
        Role.AUDITOR: frozenset(
            {Right.BALANCES, Right.DOCUMENTS, Right.ALL_ACCOUNTS, Right.EVIDENCE, Right.LOG, Right.PERSONAL}
        ),
        Role.READER: frozenset({Right.BALANCES, Right.DOCUMENTS, Right.ALL_ACCOUNTS, Right.EVIDENCE}),
        Role.CUSTOMER: frozenset({Right.BALANCES, Right.DOCUMENTS, Right.EVIDENCE, Right.PERSONAL}),
        Role.ADMIN: frozenset({Right.ERASURE, Right.TERMS, Right.ACCESS, Right.OPERATE}),
        Role.FOLLOWER: frozenset({Right.LOG, Right.PERSONAL, Right.BALANCES}),  # who signs, for documents; forecasts
    }
)

OVER_ALL_ACCOUNTS = frozenset({Right.ALL_ACCOUNTS, Right.LOG, Right.TERMS, Right.ACCESS, Right.OPERATE})
"""What concerns more than one account, and so needs a scope of all accounts."""

CLOSED_MONTHS_ONLY = frozenset({Role.CUSTOMER})
"""Roles that are shown the documents of closed months and no others."""

OF_LISTED_ACCOUNTS_ONLY = frozenset({Role.CUSTOMER})
"""Roles that give nothing without a list of accounts: nobody is the customer of every account."""

READING_IS_RECORDED = frozenset({Role.AUDITOR})
"""Roles whose reading of names of people, and of events as they stand, is itself recorded."""


def rights_of(roles: Iterable[Role]) -> frozenset[Right]:
    """What these roles may do together."""
    return frozenset().union(*(RIGHTS_OF[role] for role in roles))


RIGHT_OF_COMMAND: Mapping[str, Right] = MappingProxyType(
    {
        "OpenAccount": Right.MONEY,
        "PurchasePackage": Right.MONEY,
        "ChangeCustomer": Right.MONEY,
        "RefundPackage": Right.MONEY,
        "PayDebt": Right.MONEY,
        "SuspendWork": Right.MONEY,
        "ResumeWork": Right.MONEY,
        "CloseTask": Right.TASKS,
        "CorrectTask": Right.TASKS,
        "MarkWarranty": Right.TASKS,
        "ReopenTask": Right.TASKS,
        "PlanTask": Right.TASKS,
        "DropPlan": Right.TASKS,
        "CloseMonth": Right.MONTHS,
        "ReopenMonth": Right.MONTHS,
    }
)
"""What each command needs, on a route of its own and on a line of NDJSON."""
