"""The logins of the parts at PostgreSQL and NATS, each in a file of its own, in one folder."""

from pathlib import Path

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

from services.process.operator_error import CANNOT_START, OperatorError
from services.process.settings import File, read


class LoginSettings(BaseSettings):
    """The folder with the parts' logins; without it, all parts share one."""

    model_config = SettingsConfigDict(frozen=True, populate_by_name=True)

    folder: File | None = Field(default=None, validation_alias="HOURBOOK_LOGINS")


def database_file(folder: Path, part: str) -> Path:
    """Where the folder has the URL by which that part enters PostgreSQL."""
    return folder / f"{part}.database"


def nats_file(folder: Path, part: str) -> Path:
    """Where the folder has the URL by which that part enters NATS."""
    return folder / f"{part}.nats"


def nats_login(part: str) -> str | None:
    """The URL by which that part enters NATS, where it has a login of its own."""
    folder = read(LoginSettings).folder
    return _url_in(nats_file(folder, part)) if folder else None


def as_part(database: str, nats: str | None = None, folder: Path | None = None) -> dict[str, str]:
    """The settings DATABASE_URL and NATS_URL as files of these parts have them, as far as there are such files.

    `folder`: where they are, if not where HOURBOOK_LOGINS says.
    """
    folder = folder or read(LoginSettings).folder
    if folder is None:
        return {}
    files = {"DATABASE_URL": database_file(folder, database)} | ({"NATS_URL": nats_file(folder, nats)} if nats else {})
    return {variable: url for variable, file in files.items() if (url := _url_in(file))}


def _url_in(file: Path) -> str | None:
    """OperatorError, which never repeats it, where it cannot be read."""
    try:
        return file.read_text(encoding="ascii").strip()
    except FileNotFoundError:
        return None
    except (OSError, UnicodeDecodeError) as unreadable:
        reason = unreadable.strerror if isinstance(unreadable, OSError) else "it holds no URL"
        raise OperatorError(f"HOURBOOK_LOGINS, {file}: it cannot be read: {reason}.", exit_code=CANNOT_START) from None
