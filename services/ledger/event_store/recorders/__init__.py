"""This store for applications of the `eventsourcing` library: PERSISTENCE_MODULE=services.ledger.event_store.recorders.

The ledger itself does not import it: importing the library patches `dataclasses` for the whole process.
"""

from services.ledger.event_store.recorders.factory import Factory

__all__ = ["Factory"]
