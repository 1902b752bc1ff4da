"""A person's session: one encrypted cookie with the person's own credential; the server keeps nothing of it.

The name `__Host-` lets a browser take the cookie over HTTPS alone, or from its own machine, and send it to this host
only.
"""

import hmac
import time
from base64 import urlsafe_b64encode
from collections.abc import Callable
from dataclasses import dataclass, replace
from secrets import token_urlsafe

import orjson
from joserfc import jwe
from joserfc.errors import JoseError
from joserfc.jwk import OctKey
from starlette.requests import Request
from starlette.responses import Response

COOKIE = "__Host-hourbook"
LIFE_SECONDS = 12 * 3600
LOGIN_SECONDS = 600
COOKIE_BYTES_MAX = 4096
"""Of a cookie's name and value: browsers keep no longer one."""
_HEADER = {"alg": "dir", "enc": "A256GCM", "zip": "DEF"}
_FORM_BYTES = 18


@dataclass(frozen=True)
class Begun:
    """A login at the OIDC issuer that is under way, and the page that it leads back to."""

    state: str
    nonce: str
    verifier: str
    back: str

    @classmethod
    def made(cls, back: str) -> "Begun":
        """A new one, which nobody can guess."""
        return cls(token_urlsafe(16), token_urlsafe(16), token_urlsafe(32), back)


@dataclass(frozen=True)
class Session:
    """What the cookie holds: an id, when it ends, in seconds, and a credential once somebody has logged in.

    Whoever is about to log in has a login that is under way instead.
    """

    id: str
    ends_at: float
    credential: str | None = None
    begun: Begun | None = None

    def logged_in(self, credential: str) -> "Session":
        """A new session of who has this credential: forms that were shown before the login are not accepted in it."""
        return replace(self, id=token_urlsafe(12), credential=credential)


class Sessions:
    """Sessions as cookies, by one secret."""

    def __init__(self, secret: bytes, clock: Callable[[], float] = time.time) -> None:
        self._key = OctKey.import_key(hmac.digest(secret, b"session", "sha256"))
        self._forms = hmac.digest(secret, b"form", "sha256")
        self._clock = clock

    def new(self) -> Session:
        """Of somebody who has not logged in."""
        return Session(token_urlsafe(12), self._clock() + LIFE_SECONDS)

    def beginning(self, begun: Begun) -> Session:
        """Of somebody who is on the way to the issuer."""
        return Session(token_urlsafe(12), self._clock() + LOGIN_SECONDS, begun=begun)

    def fits(self, session: Session) -> bool:
        """Whether browsers keep the session."""
        return len(COOKIE) + len(self.sealed(session)) <= COOKIE_BYTES_MAX

    def of(self, request: Request) -> Session | None:
        """The session that a browser shows; None where there is none that holds."""
        shown = request.cookies.get(COOKIE)
        return self.opened(shown) if shown else None

    def opened(self, shown: str) -> Session | None:
        """A cookie's session; None for one that this secret has not sealed, or whose time is over."""
        try:
            content = orjson.loads(
                jwe.decrypt_compact(shown, self._key, algorithms=["dir", "A256GCM", "DEF"]).plaintext
            )
        except (JoseError, ValueError, TypeError):
            return None
        begun = content.pop("begun", None)
        session = Session(**content, begun=Begun(**begun) if begun else None)
        return session if self._clock() < session.ends_at else None

    def sealed(self, session: Session) -> str:
        """The session as a cookie's value."""
        return jwe.encrypt_compact(_HEADER, orjson.dumps(session), self._key)

    def keep(self, answer: Response, session: Session) -> None:
        """Hand the session to the browser."""
        answer.set_cookie(COOKIE, self.sealed(session), path="/", secure=True, httponly=True, samesite="lax")

    def form_token(self, session: Session) -> str:
        """What every form of the session carries: nobody else can make one."""
        return urlsafe_b64encode(hmac.digest(self._forms, session.id.encode(), "sha256")[:_FORM_BYTES]).decode()

    def is_own(self, session: Session, token: str) -> bool:
        """Whether a form was shown in this session."""
        return hmac.compare_digest(self.form_token(session).encode(), token.encode())


def forget(answer: Response) -> None:
    """Let the browser drop the session."""
    answer.delete_cookie(COOKIE, path="/", secure=True, httponly=True, samesite="lax")
