"""Keys of services: made, rotated and revoked, each as a fact of the log of access."""

from contextlib import suppress
from datetime import datetime, timedelta

from contracts.access import KeyRequest, KeyView, MadeKey
from contracts.access_events import KeyMade, KeyRevoked, KeyRotated
from services.access.keys import Credential, Key, principal_id
from services.access.principals import Principal, exceeds
from services.access.state import AccessState
from services.ledger.access.log import AccessLog
from services.ledger.writing.personal_data import commit

OVERLAP_MAX = timedelta(days=30)


class MoreThanOnesOwn(Exception):
    """The key would have more than its maker: a field and the reason."""


class NoSuchKey(Exception):
    """There is no such key, or it is not within the caller's own rights."""


class CredentialTaken(Exception):
    """The credential that the caller has made is that of another key, or another key was made with it."""


class MadeAlready(Exception):
    """A key has this credential already."""


class KeyEnded(Exception):
    """The key does nothing any more: why."""


class Keys:
    """What may be done with keys in the name of a principal: never with more than its own rights, scope and time."""

    def __init__(self, log: AccessLog, actor: Principal) -> None:
        self._log = log
        self._actor = actor

    async def make(self, asked: KeyRequest) -> MadeKey:
        """A new key, with the credential that is shown once; the same one where the caller's own comes again.

        MoreThanOnesOwn where it exceeds its maker; CredentialTaken where the credential belongs to another key.
        """
        credential = Credential.given(asked.credential) if asked.credential else Credential.make()
        wanted = Principal.with_roles(
            principal_id(credential.key_id), "key", asked.roles, asked.accounts, ends_at=asked.ends_at
        )
        if more := exceeds(wanted, self._actor):
            raise MoreThanOnesOwn(more)
        name = commit(asked.name)
        made = KeyMade(
            name=name.commitment,
            roles=tuple(sorted(asked.roles)),
            accounts=None if asked.accounts is None else tuple(sorted(asked.accounts)),
            ends_at=asked.ends_at,
            secret_sha256=credential.hash.hex(),
        )

        def require(state: AccessState, _: datetime) -> None:
            if credential.key_id in state.keys:
                raise MadeAlready

        with suppress(MadeAlready):
            await self._log.record_where(require, wanted.id, [made], self._actor.id, (name,))
        key = self._log.state.keys[credential.key_id]
        shown = self._shown(key, await self._name(key), credential)
        as_asked = key.principal == wanted and key.made_by == self._actor.id and shown.name in {asked.name, None}
        if not (key.has_had(credential) and as_asked):
            raise CredentialTaken(credential.key_id)
        return shown

    async def rotate(self, key_id: str, overlap: timedelta, now: datetime, given: str | None = None) -> MadeKey:
        """Another secret for a key, once where it is `given`; the earlier ones work until the overlap ends.

        NoSuchKey where it is not within one's own rights; KeyEnded where no secret of it works any more;
        CredentialTaken where what is given is of another key.
        """
        key = self._own(key_id)
        credential = Credential.given(given) if given else Credential.make(key_id)
        if credential.key_id != key_id:
            raise CredentialTaken(credential.key_id)
        rotated = KeyRotated(secret_sha256=credential.hash.hex(), overlap_ends_at=now + overlap)

        def require(state: AccessState, _: datetime) -> None:
            if ended := state.keys[key_id].ended(now):
                raise KeyEnded(ended)
            if state.keys[key_id].has_had(credential):
                raise MadeAlready

        with suppress(MadeAlready):
            await self._log.record_where(require, key.principal.id, [rotated], self._actor.id)
        return self._shown(self._log.state.keys[key_id], await self._name(key), credential)

    async def revoke(self, key_id: str, reason: str) -> KeyView:
        """End a key now, in every process within a second; one that is revoked stays as it is.

        NoSuchKey where it is not within one's own rights.
        """
        key = self._own(key_id)
        if key.revoked_at is None:
            await self._log.record(key.principal.id, KeyRevoked(reason=reason), self._actor.id)
        return view(self._log.state.keys[key_id], await self._name(key))

    async def listed(self) -> tuple[KeyView, ...]:
        """The keys within one's own rights, the newest first."""
        keys = [key for key in self._log.state.keys.values() if not exceeds(key.principal, self._actor)]
        names = await self._log.names(key.principal.id for key in keys)
        return tuple(view(key, names.get(key.principal.id)) for key in sorted(keys, key=_newest))

    def _own(self, key_id: str) -> Key:
        key = self._log.state.keys.get(key_id)
        if key is None or exceeds(key.principal, self._actor):
            raise NoSuchKey(key_id)
        return key

    async def _name(self, key: Key) -> str | None:
        return (await self._log.names([key.principal.id])).get(key.principal.id)

    @staticmethod
    def _shown(key: Key, name: str | None, credential: Credential) -> MadeKey:
        return MadeKey(**view(key, name).model_dump(), credential=str(credential))


def view(key: Key, name: str | None) -> KeyView:
    """A key as it is listed; `name` is absent where it was erased."""
    return KeyView(
        key_id=key.key_id,
        name=name,
        roles=key.roles,
        accounts=key.accounts,
        ends_at=key.ends_at,
        made_at=key.made_at,
        made_by=key.made_by,
        revoked_at=key.revoked_at,
    )


def _newest(key: Key) -> tuple[float, str]:
    return (-key.made_at.timestamp(), key.key_id)
