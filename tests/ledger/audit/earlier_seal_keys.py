"""Keys of seals as they were published before seals had a place."""

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from services.ledger.audit import seal_notes
from services.ledger.audit.notes import signed


def publish_keys_of_form(form: int, patch: pytest.MonkeyPatch) -> None:
    """From now on, in this process. Notes of the first form do not say it."""

    def signed_without_form(text: str, name: str, *keys: Ed25519PrivateKey) -> str:
        return signed(text.replace("\nform 2\n", "\n"), name, *keys)

    if form == 1:
        patch.setattr(seal_notes, "signed", signed_without_form)
