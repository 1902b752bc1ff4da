"""What several files start Hourbook with."""

from collections.abc import Iterator

import pytest


@pytest.fixture(scope="module")
def one_log() -> Iterator[None]:
    """Whatever is started has one log, however many the suite runs with."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HOURBOOK_LOGS", "1")
        yield
