"""What must hold before anything of Hourbook is started, judged at once: a sentence for each thing that does not."""

import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import TypeVar

from pydantic_settings import BaseSettings

from services.access.caller import credential_in
from services.access.limits import LimitSettings
from services.access.settings import AccessSettings
from services.billing.sending.settings import SendingSettings, mail_server
from services.billing.sending.texts import VARIABLE as TEXTS
from services.billing.sending.texts import texts
from services.billing.settings import Settings as BillingSettings
from services.bitrix24.settings import ConnectorSettings, connector
from services.documents.seller import seller
from services.ledger.audit.key_files import CannotSign, read_key
from services.ledger.settings import Settings as LedgerSettings
from services.operating.backup.settings import BackupSettings
from services.pages.settings import PagesSettings
from services.process import settings
from services.process.logins import LoginSettings
from services.process.logs import LogSettings
from services.process.metrics import MetricsSettings
from services.process.operator_error import CANNOT_START, OperatorError
from services.process.outside import OutsideSettings
from services.process.request_log import RequestLogSettings
from services.process.tls import TlsSettings
from services.process.tracing import TracingSettings
from services.projections.debt_alerts.webhooks import endpoints
from services.projections.settings import Settings as ProjectionsSettings

KNOWN = settings.variables(
    LedgerSettings,
    ProjectionsSettings,
    BillingSettings,
    SendingSettings,
    AccessSettings,
    LimitSettings,
    LoginSettings,
    TlsSettings,
    TracingSettings,
    LogSettings,
    MetricsSettings,
    RequestLogSettings,
    OutsideSettings,
    PagesSettings,
    BackupSettings,
    ConnectorSettings,
) | {"HOURBOOK_KEY_FILE"}


def require_settings(environment: Mapping[str, str]) -> None:
    """OperatorError with all that is wrong with an environment, and with the files that it names.

    An environment without DATABASE_URL is given one when PostgreSQL has been started.
    """
    given = {"DATABASE_URL": "postgresql://not-started-yet/", **environment}
    judges = (ledger_settings, _projections_settings, _billing_settings, sending_settings, connector_settings)
    _require([sentence for judge in judges for sentence in _complaints(lambda judge=judge: judge(given))])


def door_settings(environment: Mapping[str, str]) -> AccessSettings:
    """Whether there is a door, and what is shown, limited and logged there."""
    _require(_complaints(lambda: _read(TlsSettings, environment)))
    _require(_complaints(lambda: _read(LimitSettings, environment)))
    _require(_complaints(lambda: _read(PagesSettings, environment).client_secret()))
    _require(_wrong_file("HOURBOOK_REQUEST_LOG_FILE", _read(RequestLogSettings, environment).file))
    return _read(AccessSettings, environment)


def ledger_settings(environment: Mapping[str, str]) -> LedgerSettings:
    """The ledger's, with the key and the witness that they name."""
    read = _read(LedgerSettings, environment)
    _require(
        [
            *_complaints(lambda: door_settings(environment)),
            *_wrong_key("HOURBOOK_AUDIT_KEY_FILE", read.audit_key_file),
            *_wrong_key("HOURBOOK_SEAL_KEY_FILE", read.seal_key_file),
            *_wrong_file("HOURBOOK_WITNESS_FILE", read.witness_file),
            *_wrong_credential(read.projections_key_file),
        ]
    )
    return read


def projections_settings(environment: Mapping[str, str]) -> ProjectionsSettings:
    """The projections', with the seller and the webhooks that they name; and a key, where the ledger asks for one."""
    read = _projections_settings(environment)
    if read.ledger_key_file is None and door_settings(environment).access == "closed":
        _require(["HOURBOOK_LEDGER_KEY_FILE is not set: name a file with a key of the role follower, for the ledger."])
    return read


def billing_settings(environment: Mapping[str, str]) -> BillingSettings:
    """Billing's, with the seller that they name; and a key, where Hourbook's other routes ask for one."""
    read = _billing_settings(environment)
    if read.key_file is None and door_settings(environment).access == "closed":
        _require(["HOURBOOK_BILLING_KEY_FILE is not set: name a file with a key of the roles reader and follower."])
    return read


def _billing_settings(environment: Mapping[str, str]) -> BillingSettings:
    read = _read(BillingSettings, environment)
    wrong = _complaints(lambda: settings.parsed("HOURBOOK_SELLER_FILE", read.seller_file, seller))
    _require([*_complaints(lambda: door_settings(environment)), *wrong, *_wrong_credential(read.key_file)])
    return read


def sending_settings(environment: Mapping[str, str]) -> SendingSettings:
    """Those of the sender, with the texts and the password that they name."""
    read = _read(SendingSettings, environment)
    _require(
        [
            *_complaints(lambda: settings.parsed(TEXTS, read.texts_file, texts)),
            *(_complaints(lambda: mail_server(read)) if read.is_on else ()),
        ]
    )
    return read


def connector_settings(environment: Mapping[str, str]) -> ConnectorSettings:
    """Where those of the connector are, once what they say fits."""
    read = _read(ConnectorSettings, environment)
    if read.file:
        settings.parsed("HOURBOOK_BITRIX24_FILE", read.file, lambda file: file and connector(file))
    return read


def _projections_settings(environment: Mapping[str, str]) -> ProjectionsSettings:
    read = _read(ProjectionsSettings, environment)
    files = [
        ("HOURBOOK_SELLER_FILE", read.seller_file, seller),
        ("HOURBOOK_WEBHOOKS_FILE", read.webhooks_file, endpoints),
    ]
    wrong = [sentence for each in files for sentence in _complaints(lambda each=each: settings.parsed(*each))]
    _require([*_complaints(lambda: door_settings(environment)), *wrong, *_wrong_credential(read.ledger_key_file)])
    return read


Read = TypeVar("Read", bound=BaseSettings)


def _read(model: type[Read], environment: Mapping[str, str]) -> Read:
    _require([*settings.misspelt(environment, KNOWN), *_complaints(lambda: _of(LogSettings, environment))])
    return _of(model, environment)


def _of(model: type[Read], environment: Mapping[str, str]) -> Read:
    known = settings.variables(model)
    return settings.read(model, **{name: value for name, value in environment.items() if name in known})


def _require(sentences: Iterable[str]) -> None:
    if found := list(dict.fromkeys(sentences)):
        raise OperatorError(*found, exit_code=CANNOT_START)


def _complaints(judge: Callable[[], object]) -> Iterable[str]:
    try:
        judge()
    except OperatorError as misfit:
        return misfit.sentences
    return ()


def _wrong_key(variable: str, file: Path | None) -> Iterator[str]:
    """A key that is there and cannot sign; one that is not there yet is made, where it can be."""
    if file is None:
        return
    try:
        if file.exists():
            read_key(file)
        else:
            yield from _wrong_folder(variable, file)
    except CannotSign as unreadable:
        yield f"{variable}: {unreadable}"
    except OSError as unreadable:
        yield f"{variable}, {file}: it cannot be read: {unreadable.strerror}."


def _wrong_credential(file: Path | None) -> Iterable[str]:
    return _complaints(lambda: credential_in(file)) if file else ()


def _wrong_file(variable: str, file: Path | None) -> Iterator[str]:
    """A file that is to grow, and cannot."""
    if file is None:
        return
    if file.is_dir():
        yield f"{variable}, {file}: it is a folder: name a file in it."
    elif file.exists() and not os.access(file, os.W_OK):
        yield f"{variable}, {file}: this user may not write to it."
    elif not file.parent.is_dir():
        yield f"{variable}, {file}: there is no folder {file.parent}: make it."


def _wrong_folder(variable: str, file: Path) -> Iterator[str]:
    """The nearest folder above a file that is to be made, if it cannot hold it."""
    nearest = next(folder for folder in file.absolute().parents if folder.exists())
    if not nearest.is_dir():
        yield f"{variable}, {file}: {nearest} is not a folder."
    elif not os.access(nearest, os.W_OK):
        yield f"{variable}, {file}: this user may not write to {nearest}."
