"""Settings from the environment, each judged once, before anything starts: what is wrong, and what to do."""

import difflib
import re
import tomllib
from collections.abc import Callable, Collection, Mapping
from pathlib import Path
from typing import Annotated, Any, TypeVar
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, ValidationError
from pydantic_settings import BaseSettings

from services.process.nats_url import servers_of
from services.process.operator_error import CANNOT_START, OperatorError
from services.process.toml_lines import line_of

HOST = re.compile(r"(?:\[[0-9a-fA-F:.]+\]|[^\[\]:@/\s]+)(?::(?P<port>\d+))?")
POSTGRES_FORM = "postgresql://user:password@host:5432/database"
NATS_FORM = "nats://user:password@host:4222"
OF_A_KEY = "[key]"
"""How a model says that a key does not fit, and not its value."""

_OF_A_FILE = {
    "missing": "is missing: add it",
    "extra_forbidden": "is not known here: correct its name, or remove it",
    "int_parsing": "is to be a whole number",
    "int_type": "is to be a whole number",
    "string_type": "is to be a text in quotation marks",
    "dict_type": "is to be a table",
    "model_type": "is to be a table",
    "too_short": "is empty: fill it in",
    "date_from_datetime_parsing": "is to be a day such as 2026-01-31, without quotation marks",
    "date_from_datetime_inexact": "is to be a day such as 2026-01-31, without a time",
}
NATS_SCHEMES = ("nats", "tls", "ws", "wss")
LIKE_A_SETTING = 0.85

_REMEDIES = {
    "missing": "is not set: set it",
    "bool_parsing": "is neither 1 nor 0: give one of them",
    "int_parsing": "is not a whole number: give one",
}

Read = TypeVar("Read", bound=BaseSettings)
Parsed = TypeVar("Parsed")


def _of_scheme(given: str, schemes: Collection[str], form: str) -> str:
    """The part that names the servers. A password is never repeated: what is wrong is said without it."""
    parts = urlsplit(given)
    if parts.scheme not in schemes:
        raise ValueError(f"does not begin with {next(iter(schemes))}://: write it as {form}")
    servers = parts.netloc.rpartition("@")[2]
    for server in servers.split(",") if servers else ():
        found = HOST.fullmatch(server)
        if found is None or int(found["port"] or 1) not in range(1, 65536):
            raise ValueError(
                f"names no host with a port from 1 to 65535: write it as {form}, and any of @ : / ? # in the user or "
                "the password by its code, such as %40 for @"
            )
    return servers


def _postgres_url(given: str) -> str:
    if not _of_scheme(given, ("postgresql", "postgres"), POSTGRES_FORM) and "host=" not in urlsplit(given).query:
        raise ValueError(f"names no host: write it as {POSTGRES_FORM}")
    return given


def _nats_url(given: str) -> str:
    """One server or several of a cluster, separated by commas."""
    servers = servers_of(given)
    if not all(_of_scheme(server, NATS_SCHEMES, NATS_FORM) for server in servers):
        raise ValueError(f"names no host: write it as {NATS_FORM}, and further servers after a comma")
    if len({urlsplit(server).scheme in NATS_SCHEMES[:2] for server in servers}) > 1:
        raise ValueError("names servers by websocket and others without: name all by one of the two")
    return given


def _replicas(given: int) -> int:
    if given not in {1, 3, 5}:
        raise ValueError("is none of 1, 3 and 5: give one of them")
    return given


def _http_url(given: str) -> str:
    if not _of_scheme(given, ("http", "https"), "http://host:8000"):
        raise ValueError("names no host: write it as http://host:8000")
    return given


def _not_empty(given: Any) -> Any:
    if isinstance(given, str) and not given.strip():
        raise ValueError("is empty: give it a value, or unset it")
    return given


NotEmpty = BeforeValidator(_not_empty)
PostgresUrl = Annotated[str, AfterValidator(_postgres_url), NotEmpty]
Replicas = Annotated[int, AfterValidator(_replicas), NotEmpty]
NatsUrl = Annotated[str, AfterValidator(_nats_url), NotEmpty]
HttpUrl = Annotated[str, AfterValidator(_http_url), NotEmpty]
File = Annotated[Path, NotEmpty]


def read(model: type[Read], **given: Any) -> Read:
    """The settings from the environment and `given`; OperatorError has a sentence for each that does not fit."""
    try:
        return model(**given)
    except ValidationError as misfit:
        raise OperatorError(*(_sentence(model, error) for error in misfit.errors()), exit_code=CANNOT_START) from None


def _sentence(model: type[BaseSettings], error: Mapping[str, Any]) -> str:
    if not error["loc"]:  # about several together: it names them
        return f"{error['msg'].removeprefix('Value error, ')}."
    name = str(error["loc"][0])
    field = model.model_fields.get(name)
    variable = field.validation_alias if field else name
    wrong = _REMEDIES.get(error["type"]) or error["msg"].removeprefix("Value error, ")
    if error["type"] in {"greater_than_equal", "less_than_equal"}:
        wrong = f"is out of range: {error['msg'].removeprefix('Input should be ')}"
    return f"{variable} {wrong}."


def parsed(variable: str, file: Path | None, parse: Callable[[Path | None], Parsed]) -> Parsed:
    """What a file says that a setting names; OperatorError names the file, and line and remedy of what does not fit."""
    try:
        return parse(file)
    except OSError as unreadable:
        which = unreadable.filename
        named = "it" if which is None or Path(which) == file else f"{which}, which it names,"
        sentences = [f"{named} cannot be read: {unreadable.strerror}"]
    except UnicodeDecodeError:
        sentences = ["it is not a text in UTF-8: save it as one"]
    except tomllib.TOMLDecodeError as malformed:
        sentences = [f"it is not TOML: {malformed}"]
    except ValidationError as misfit:
        written = file.read_text(encoding="utf-8") if file else ""
        sentences = [_misfit(error, written) for error in misfit.errors()]
    raise OperatorError(*(f"{variable}, {file}: {each}." for each in sentences), exit_code=CANNOT_START)


def _misfit(error: Mapping[str, Any], written: str) -> str:
    """Line, field and remedy of what a model says of a TOML file."""
    place = [part for part in error["loc"] if part != OF_A_KEY]
    remedy = _OF_A_FILE.get(error["type"]) or error["msg"].removeprefix("Value error, ")
    return f"line {line_of(written, place)}: {'.'.join(map(str, place))}: {remedy}"


def variables(*models: type[BaseSettings]) -> set[str]:
    """The environment variables that these settings are read from."""
    return {str(field.validation_alias) for model in models for field in model.model_fields.values()}


def misspelt(environment: Collection[str], known: Collection[str]) -> list[str]:
    """A sentence for each variable that is no setting and looks like one: it would be ignored in silence."""
    unknown = sorted(name for name in environment if name.startswith("HOURBOOK_") and name not in known)
    like = {name: difflib.get_close_matches(name, known, 1, LIKE_A_SETTING) for name in unknown}
    return [f"{name} is not a setting: unset it, or write {right[0]}." for name, right in like.items() if right]
