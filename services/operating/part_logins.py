"""The logins of the parts that `hourbook up` starts: made at the servers of its own, and theirs alone."""

import asyncio
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from infra.embedded import EmbeddedNats, EmbeddedPostgres, EmbeddedServer
from services.ledger.settings import Settings
from services.operating import database_logins, nats_logins
from services.operating.database_logins import FOLDER
from services.process.logins import database_file, nats_file
from services.process.settings import read

USERS = tuple(nats_logins.permissions(0))


@dataclass(frozen=True)
class PartLogins:
    """A folder with the parts' logins: the data folder's own, or one that the operator has named."""

    folder: Path
    own: bool

    @classmethod
    def of(cls, environment: Mapping[str, str], data: Path) -> Self:
        """Where the environment says, else in the data folder; parts work in another folder than this process."""
        named = environment.get("HOURBOOK_LOGINS")
        return cls(Path(named or data / FOLDER).absolute(), own=not named)

    def prepare(self, server: EmbeddedServer) -> None:
        """Let a server know its users that reads them at its start."""
        if isinstance(server, EmbeddedNats):
            logs = read(Settings, database_url="postgresql://not-needed/").logs
            nats_logins.give_users(server, self.folder, logs)

    def give(self, environment: dict[str, str], servers: Iterable[EmbeddedServer]) -> None:
        """Have a login of each part at these servers, and let no part see those that may more.

        Files of a server that the folder had before, and that another one has taken the place of, are deleted.
        """
        database = next((each for each in servers if isinstance(each, EmbeddedPostgres)), None)
        nats = next((each for each in servers if isinstance(each, EmbeddedNats)), None)
        if database:
            asyncio.run(database_logins.keep_logins(database.url, self.folder))
        if nats:
            nats_logins.keep_logins(nats, self.folder)
        self._hide_shared_login(
            environment, "DATABASE_URL", database_file, database_logins.ROLES_OF, kept=bool(database)
        )
        self._hide_shared_login(environment, "NATS_URL", nats_file, USERS, kept=bool(nats))
        environment["HOURBOOK_LOGINS"] = str(self.folder)

    def _hide_shared_login(
        self,
        environment: dict[str, str],
        variable: str,
        file_of: Callable[[Path, str], Path],
        parts: Iterable[str],
        *,
        kept: bool,
    ) -> None:
        """Take a variable from the environment where each part has a file; `kept`: the files are this server's."""
        files = [file_of(self.folder, part) for part in parts]
        if self.own and not kept:
            for file in files:
                file.unlink(missing_ok=True)
        if all(file.exists() for file in files):
            environment.pop(variable)
