"""Logins of PostgreSQL, one for each part: a member of the roles as which the part works, and of no other."""

import base64
import hashlib
import hmac
import os
import secrets
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from urllib.parse import quote, unquote, urlsplit

import asyncpg

from infra.embedded import EmbeddedPostgres
from services.billing.database import ROLE as BILLING
from services.ledger.event_store.roles import LEDGER, RELAY, SIGNER
from services.process.file_replacement import replace_file
from services.process.logins import as_part, database_file
from services.process.operator_error import OperatorError
from services.process.postgres_roles import AUDITOR
from services.projections.database import OWNER, ROLE

FOLDER = Path("access", "logins")
"""Where a data folder has the parts' logins."""

ROLES_OF: Mapping[str, tuple[str, ...]] = {
    "ledger": (LEDGER,),
    "expiry": (LEDGER, SIGNER),
    "relay": (RELAY,),
    "projections": (ROLE, OWNER),
    "billing": (BILLING,),
    "auditor": (AUDITOR,),
}
"""What each part works as; `expiry` also signs."""

NAME_LENGTH_MAX = 63
_ROUNDS = 4096

_KEPT = """
    SELECT format('%I', $1::text), EXISTS (SELECT FROM pg_roles WHERE rolname = $1::text), format('%L', $2::text)
"""
_GRANTED = "SELECT format('GRANT CONNECT ON DATABASE %I TO %I', current_database(), $1::text)"


async def keep_logins(owner_url: str, folder: Path) -> None:
    """Make the logins that are missing, and a file with the URL of each; a file that is there keeps its password.

    By the owner of the schemas, which has to be a superuser or have CREATEROLE. A login is called after its part and
    its database: relay_of_hourbook.
    """
    _make_private(folder)
    connection = await asyncpg.connect(owner_url, timeout=10)
    try:
        database = await connection.fetchval("SELECT current_database()")
        for part, roles in ROLES_OF.items():
            file = database_file(folder, part)
            password = _password_in(file) or secrets.token_hex(24)
            login = f"{part}_of_{database}"[:NAME_LENGTH_MAX]
            await _keep_login(connection, login, roles, password)
            _keep_file(file, f"{_url(owner_url, login, password)}\n")
    except asyncpg.InsufficientPrivilegeError as refused:
        reason = str(refused).splitlines()[0]
        raise OperatorError(
            f"DATABASE_URL: this login may not make the parts' logins ({reason}): name one with CREATEROLE."
        ) from refused
    finally:
        await connection.close()


def _make_private(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    with suppress(OSError):  # of a folder that is read only, as secrets often are
        folder.chmod(0o700)


def _keep_file(file: Path, url: str) -> None:
    """One that has this URL already is left alone: its folder may be read only."""
    if file.exists() and file.read_text(encoding="ascii").strip() == url.strip():
        return
    try:
        replace_file(file, url)
    except OSError as refused:
        expected = urlsplit(url.strip())
        shown = expected._replace(netloc=f"{expected.username}:…@{expected.netloc.rpartition('@')[2]}").geturl()
        raise OperatorError(
            f"{file} cannot be written ({refused.strerror}): write {shown} into it, or name a folder that can be."
        ) from refused


async def _keep_login(connection: asyncpg.Connection, login: str, roles: tuple[str, ...], password: str) -> None:
    """The password goes to the server as what it keeps of it, so that no log of statements can have it."""
    name, exists, kept = await connection.fetchrow(_KEPT, login, verifier(password))
    async with connection.transaction():
        await connection.execute(f"{'ALTER' if exists else 'CREATE'} ROLE {name} LOGIN PASSWORD {kept}")
        await connection.execute(f"GRANT {', '.join(roles)} TO {name}")
        await connection.execute(await connection.fetchval(_GRANTED, login))


def verifier(password: str) -> str:
    """What PostgreSQL keeps of a password (SCRAM-SHA-256, RFC 5803)."""
    salt = secrets.token_bytes(16)
    salted = hashlib.pbkdf2_hmac("sha256", password.encode(), salt, _ROUNDS)
    client, server = (hmac.digest(salted, word, "sha256") for word in (b"Client Key", b"Server Key"))
    told = (base64.b64encode(each).decode() for each in (salt, hashlib.sha256(client).digest(), server))
    return "SCRAM-SHA-256${}:{}${}:{}".format(_ROUNDS, *told)


def _password_in(file: Path) -> str | None:
    if not file.exists():
        return None
    return unquote(urlsplit(file.read_text(encoding="ascii").strip()).password or "") or None


def _url(owner_url: str, login: str, password: str) -> str:
    address = urlsplit(owner_url)
    return address._replace(netloc=f"{quote(login)}:{password}@{address.netloc.rpartition('@')[2]}").geturl()


def database_url_of(part: str, data: Path) -> str:
    """By which URL a command does a part's work: with its login, where `up` or HOURBOOK_LOGINS has one."""
    given = as_part(part).get("DATABASE_URL")
    if given or "DATABASE_URL" in os.environ:
        return given or os.environ["DATABASE_URL"]
    owner, own = owners_url(data), database_file(data / FOLDER, part)
    return own.read_text(encoding="ascii").strip() if own.exists() else owner


def owners_url(data: Path) -> str:
    """By which URL schemas are changed: `owner.database` of HOURBOOK_LOGINS, DATABASE_URL, or the server of `up`."""
    given = as_part("owner").get("DATABASE_URL") or os.environ.get("DATABASE_URL")
    return given or EmbeddedPostgres(data / "postgres").url_elsewhere()
