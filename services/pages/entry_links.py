"""Links that log a browser in once: each a file beside the secret of sessions, named by the hash of what the link says.

Whoever starts Hourbook on a machine may make one, for a key that lies in a file there. Of several processes that are
shown the same link, the one that removes its file lets the person in.
"""

import time
from hashlib import sha256
from pathlib import Path
from secrets import token_urlsafe

import orjson

from services.process.file_replacement import replace_file

PATH = "/enter"
LIFE_SECONDS = 600
_FOLDER = "links"


def make_link(folder: Path, key_file: Path) -> str:
    """The path of a link for the key in that file: good once, and for ten minutes."""
    links = folder / _FOLDER
    links.mkdir(parents=True, exist_ok=True, mode=0o700)
    _remove_old(links)
    word = token_urlsafe(24)
    said = {"key_file": str(key_file.absolute()), "ends_at": time.time() + LIFE_SECONDS}
    replace_file(_file(folder, word), orjson.dumps(said))
    return f"{PATH}/{word}"


def credential_of_link(folder: Path | None, word: str) -> str | None:
    """The key that the link stands for, and the link is used up; None for one that is used, too old or unknown."""
    if folder is None:
        return None
    file = _file(folder, word)
    try:
        said = orjson.loads(file.read_bytes())
        file.unlink()
        if time.time() >= said["ends_at"]:
            return None
        return Path(said["key_file"]).read_text(encoding="ascii").strip()
    except OSError:
        return None


def _file(folder: Path, word: str) -> Path:
    return folder / _FOLDER / sha256(word.encode()).hexdigest()


def _remove_old(links: Path) -> None:
    for file in links.iterdir():
        if time.time() - file.stat().st_mtime > LIFE_SECONDS:
            file.unlink(missing_ok=True)
