"""What every part says that holds something later than the log has: one sentence, and the remedy."""

WENT_BACK = (
    "The log has gone back: it does not have what was recorded before, as after its database was restored. Nothing is "
    "recorded, signed, published or projected until `hourbook restored` has begun a new epoch"
)

EPOCH_HEADER = "Hourbook-Epoch"
"""In answers about the log and in its messages: how often the ledger has begun anew after a restore, counted from 1."""
