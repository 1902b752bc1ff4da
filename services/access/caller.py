"""The program itself as a caller of a running Hourbook: where it asks, and what it shows there."""

import re
from collections.abc import Generator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from services.process.operator_error import OperatorError
from services.process.site import is_loopback
from services.process.tls import trusted_at

OWNERS_KEY = Path("access", "owner.key")
"""Where a data folder has the key that may do everything."""

DEMO = "demo"
"""The data folder of the demo, inside the usual one."""

NO_KEY = (
    "name a file that holds a key, with --key-file or HOURBOOK_KEY_FILE. `hourbook up` makes keys under access/ in its "
    "data folder, and `hourbook access make` makes others."
)
ANOTHER_KEY = "Name another one with --key-file or HOURBOOK_KEY_FILE."

_ONE_WORD = re.compile(r"[!-~]+")


def credential_in(file: Path) -> str:
    """The key or token that a file holds; OperatorError, which never repeats it, where that is none."""
    try:
        text = file.read_text(encoding="ascii").strip()
    except OSError as unreadable:
        raise OperatorError(f"The key file {file} cannot be read: {unreadable.strerror}.") from unreadable
    except UnicodeDecodeError:
        text = ""
    if not _ONE_WORD.fullmatch(text):
        raise OperatorError(f"The key file {file} holds no key: write one there, alone, on one line.")
    return text


class KeyInFile(httpx.Auth):
    """Shows the key that is in the file now: one that was rotated is taken without a start."""

    def __init__(self, file: Path) -> None:
        self._file = file

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        request.headers["Authorization"] = f"Bearer {credential_in(self._file)}"
        yield request


@dataclass(frozen=True)
class Caller:
    """An operator's command that asks a Hourbook; without a key it asks as nobody."""

    url: str
    key_file: Path | None = None

    @classmethod
    def of(cls, url: str, key_file: Path | None, data: Path = Path(".hourbook")) -> "Caller":
        """With the key that was named, else the owner's in that data folder, or in the demo's inside.

        Those two are shown to this machine alone.
        """
        if key_file is None and is_loopback(httpx.URL(url).host):
            own = (folder / OWNERS_KEY for folder in (data, data / DEMO))
            key_file = next(filter(Path.exists, own), None)
        return cls(url, key_file)

    def client(self, seconds_max: float = 60) -> httpx.Client:
        """Asks there. An answer that lets the caller do nothing is an OperatorError with the remedy."""

        def judge(answer: httpx.Response) -> None:
            if answer.status_code in _SHUT:
                answer.read()
                raise self._shut_out(answer)

        return httpx.Client(**self._asking(seconds_max), event_hooks={"response": [judge]})

    def async_client(self, seconds_max: float = 60) -> httpx.AsyncClient:
        """The same, for an event loop."""

        async def judge(answer: httpx.Response) -> None:
            if answer.status_code in _SHUT:
                await answer.aread()
                raise self._shut_out(answer)

        return httpx.AsyncClient(**self._asking(seconds_max), event_hooks={"response": [judge]})

    def _asking(self, seconds_max: float) -> dict[str, Any]:
        return asking(self.url, self.key_file) | {"timeout": seconds_max}

    def _shut_out(self, answer: httpx.Response) -> OperatorError:
        if self.key_file is None:
            return OperatorError(f"The door of {self.url} is closed: {NO_KEY}")
        said = detail_of(answer)
        if answer.status_code == httpx.codes.UNAUTHORIZED:
            return OperatorError(f"{self.url} does not let in the key of {self.key_file}: {said} {ANOTHER_KEY}")
        return OperatorError(f"{self.url} refuses this to the key of {self.key_file}: {said} {ANOTHER_KEY}")


def asking(url: str, key_file: Path | None) -> dict[str, Any]:
    """How a client of httpx asks a Hourbook at an address, with a key or without."""
    return {
        "base_url": url,
        "trust_env": False,
        "verify": trusted_at(url),
        "auth": KeyInFile(key_file) if key_file else None,
    }


def detail_of(answer: httpx.Response) -> str:
    """What a problem says in detail; the status of what is no problem."""
    if "problem+json" in answer.headers.get("Content-Type", ""):
        problem = answer.json()
        return problem.get("detail") or problem["title"]
    return f"{answer.status_code} {answer.reason_phrase}."


_SHUT = {httpx.codes.UNAUTHORIZED, httpx.codes.FORBIDDEN}
