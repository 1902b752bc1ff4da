"""What Hourbook's health says of the parts of Hourbook, and the lines for the terminal when it says something else."""

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx

from services.access.caller import asking
from services.process.health import DETAILS
from services.process.lost_past import WENT_BACK
from services.process.operator_error import OperatorError

NEEDED = ("commands", "queries")
ANSWER_SECONDS_MAX = 5
EVERY_SECONDS = 2.0
QUIET_SECONDS = 10.0
"""While everything is ready: each look costs all that the service asks PostgreSQL, NATS and itself about the parts."""

PATIENCE_SECONDS = 10
SERVICE = "service"
_SHUT = {httpx.codes.UNAUTHORIZED, httpx.codes.FORBIDDEN}


class HealthWatch:
    """Of one Hourbook, from its start on; in detail where the key that is shown may operate it."""

    def __init__(self, url: str, key_file: Path | None) -> None:
        self._asking = asking(url, key_file)
        self._sentences: dict[str, str] = {}
        """By part: why it is not ready, empty while it is."""
        self._noticed: set[str] = set()
        self._looked_at = 0.0
        self._usable_since = 0.0

    def usable(self) -> bool:
        """Whether everything works; or commands and queries do, and the rest had time enough.

        A log that has gone back waits for its operator, who needs what runs.
        """
        self._sentences, _ = self._read()
        if WENT_BACK in self._sentences.get("commands", ""):
            return True
        if any(self._sentences.get(part, "absent") for part in NEEDED):
            self._usable_since = 0.0
            return False
        self._usable_since = self._usable_since or time.monotonic()
        patient = time.monotonic() - self._usable_since < PATIENCE_SECONDS
        return not (patient and any(self._sentences.values()))

    def first_lines(self) -> Iterator[str]:
        """What is not ready though Hourbook can be used."""
        yield from (f"{part} is not ready: {sentence}" for part, sentence in self._sentences.items() if sentence)

    def changes(self) -> Iterator[str]:
        """What has stopped being ready, or is ready again, a line for each part, seen within ten seconds."""
        pause = EVERY_SECONDS if any(self._sentences.values()) else QUIET_SECONDS
        if time.monotonic() - self._looked_at < pause:
            return
        sentences, notices = self._read()
        self._looked_at = time.monotonic()
        for part, sentence in sentences.items():
            before = self._sentences.get(part, "")
            if sentence and sentence != before:
                yield f"{part} is not ready: {sentence}"
            elif before and not sentence:
                yield f"{part} is ready again"
        self._sentences |= sentences
        yield from (notice for notice in notices if notice not in self._noticed)
        self._noticed |= set(notices)

    def _read(self) -> tuple[dict[str, str], list[str]]:
        try:
            with httpx.Client(**self._asking, timeout=ANSWER_SECONDS_MAX) as client:
                answer = client.get(DETAILS)
                if answer.status_code in _SHUT:
                    answer = client.get("/health/ready")
            said: dict[str, Any] = answer.json()
            parts = {part["name"]: part["sentence"] for part in said["parts"]}
        except (httpx.HTTPError, OperatorError, ValueError, KeyError) as failure:
            return {SERVICE: f"it does not answer ({type(failure).__name__})."}, []
        return {SERVICE: ""} | parts, said["notices"]
