"""The tree of errors that the product answers with; mapped to HTTP once, in web/errors.py."""

from collections.abc import Mapping
from typing import Any


class DomainError(Exception):
    """Something the caller can understand. `code` is stable; `message` says what to do about it.

    `message` is a literal English string (it is the key of the translation catalogs) with
    `%(name)s` placeholders filled from `params`. `fields` maps field names to messages; `extra` goes
    into the problem document as it is.
    """

    status = 400

    def __init__(
        self,
        code: str,
        message: str,
        *,
        params: Mapping[str, Any] | None = None,
        fields: Mapping[str, str] | None = None,
        extra: Mapping[str, Any] | None = None,
    ) -> None:
        self.params = dict(params or {})
        super().__init__(message % self.params if self.params else message)
        self.code = code
        self.message = message
        self.fields = dict(fields or {})
        self.extra = dict(extra or {})


class Unauthenticated(DomainError):
    """Nobody is signed in, or the credentials are not good."""

    status = 401


class Forbidden(DomainError):
    """The object is the actor's to see, the action is not the actor's to do."""

    status = 403


class StepUpRequired(Forbidden):
    """The person has to type the password again first; pages ask for it and keep what was typed."""


class NotFound(DomainError):
    """Not there, or not theirs: the two cannot be told apart."""

    status = 404

    def __init__(self, code: str = "not_found", message: str = "There is nothing here, or it is not yours.") -> None:
        super().__init__(code, message)


class Conflict(DomainError):
    """A lost race, a stale version, or a step the current state does not allow."""

    status = 409


class Invalid(DomainError):
    """Input that cannot be taken as it is."""

    status = 422


class TooMany(DomainError):
    """A rate limit; `retry_after` is in seconds."""

    status = 429

    def __init__(self, retry_after: int, message: str = "Too many tries. Please wait a little.") -> None:
        super().__init__("rate_limited", message, extra={"retry_after": retry_after})
        self.retry_after = retry_after


class Unavailable(DomainError):
    """An outside service does not answer right now; nothing was lost, trying again is safe."""

    status = 503
