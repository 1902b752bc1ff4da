"""Hourbook's log for applications on the `eventsourcing` library.

    PERSISTENCE_MODULE=services.eventsourcing_recorders

Importing the library patches `dataclasses` in the whole process, so nothing else of the ledger imports this package.
"""

from services.eventsourcing_recorders.factory import HourbookFactory

__all__ = ["HourbookFactory"]
