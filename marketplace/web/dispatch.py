"""From a matched URL to a committed answer: who, may they, load, run, commit, or refuse and audit."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

from flask import Response, current_app, g, make_response, request
from sqlalchemy import Engine
from sqlalchemy.exc import DBAPIError, OperationalError
from sqlalchemy.orm import Session
from werkzeug.exceptions import LengthRequired

from marketplace.db.unit_of_work import UnitOfWork, set_actor
from marketplace.kernel.actor import Actor
from marketplace.kernel.errors import Conflict, DomainError, Forbidden, Invalid, NotFound, StepUpRequired, Unavailable
from marketplace.policy.decide import allowed, require
from marketplace.web import csrf, idempotency
from marketplace.web.call import AfterCommit, Call, services
from marketplace.web.forms import FormState, read_json
from marketplace.web.idempotency import to_response
from marketplace.web.limits import limit_writes

if TYPE_CHECKING:
    from marketplace.web.section import RouteSpec

_LOCK_NOT_AVAILABLE = "55P03"
_QUERY_CANCELED = "57014"
_INSUFFICIENT_PRIVILEGE = "42501"
_EXCLUSION_VIOLATION = "23P01"


class Authenticator(Protocol):
    """Finds the actor of the current request and tells row security, in one statement."""

    def __call__(self, session: Session, *, api: bool) -> Actor: ...


class RefusalRecorder(Protocol):
    """Writes a refusal to the audit log in a transaction of its own."""

    def __call__(self, engine: Engine, actor: Actor, action: str, subject: str | None, **details: Any) -> None: ...


def run(spec: RouteSpec, url_args: dict[str, Any]) -> Response:
    """Answer one request with exactly one unit of work; commits only a response below 400."""
    provided = services()
    work = UnitOfWork(provided.engine)
    try:
        authenticate: Authenticator = current_app.extensions["authenticate"]
        actor = authenticate(work.session, api=spec.api)
        g.actor = actor
        call = Call(session=work.session, actor=actor, services=provided)
        try:
            response: Response | AfterCommit = _answer(spec, call, url_args)
        except DomainError as error:
            work.rollback()
            _audit_refusal(spec, actor, error, url_args)
            response = _ask_again(spec, call, url_args, error)
        if isinstance(response, AfterCommit):
            work.commit()
            work.close()
            return to_response(response.run(), spec.status) if spec.api else make_response(response.run())
        if response.status_code < 400 and request.method not in {"GET", "HEAD"}:
            work.commit()
        return response
    except DBAPIError as error:
        raise _translate(error) from error
    finally:
        work.rollback()
        work.close()


def _answer(spec: RouteSpec, call: Call, url_args: dict[str, Any]) -> Response | AfterCommit:
    if "Transfer-Encoding" in request.headers:
        # No browser sends a form like that, and nobody knows when it ends: a thread would wait for it.
        raise LengthRequired
    if spec.max_bytes is not None and call.actor.signed_in and allowed(call.actor, spec.needs):
        request.max_content_length = spec.max_bytes
    _refuse_nul(spec, url_args)
    if spec.csrf and request.method not in {"GET", "HEAD"}:
        csrf.check(call.actor)
    require(call.actor, spec.needs)
    # Machine callers that sign their body (webhooks) come in bursts and must never be turned away.
    if request.method not in {"GET", "HEAD"} and (spec.csrf or spec.api):
        limit_writes(call)
    args: list[Any] = [call]
    rest = url_args
    if spec.subject is not None:
        subject = spec.subject(call.session, call.actor, **url_args)
        require(call.actor, spec.needs, subject)
        args.append(subject)
        rest = {}
    if not spec.api:
        result = spec.view(*args, **rest)
        return result if isinstance(result, AfterCommit) else make_response(result)
    if spec.body is not None:
        rest = {**rest, "body": read_json(spec.body)}
    return idempotency.answer(spec, call, lambda: spec.view(*args, **rest))


def _refuse_nul(spec: RouteSpec, url_args: dict[str, Any]) -> None:
    """The database stores no NUL: an id that holds one names nothing, a text that holds one is not text."""
    if any("\x00" in str(value) for value in url_args.values()):
        raise NotFound
    # A webhook's body is its own affair: its signature is over the bytes as they came.
    for values in (request.args, request.form) if spec.csrf and not spec.api else (request.args,):
        if any("\x00" in value for _name, value in values.items(multi=True)):
            raise Invalid("invalid", "The text holds a character that cannot be stored.")


def _ask_again(spec: RouteSpec, call: Call, url_args: dict[str, Any], error: DomainError) -> Response:
    """The form again, as it was typed, when the route has one; otherwise the error goes on to its page."""
    if spec.on_invalid is None or not isinstance(error, Invalid | Conflict | StepUpRequired):
        raise error
    set_actor(call.session, call.actor)
    args: list[Any] = [call]
    rest = url_args
    if spec.subject is not None:
        args.append(spec.subject(call.session, call.actor, **url_args))
        rest = {}
    page = make_response(spec.on_invalid(*args, **rest, form=FormState.refused(error)))
    page.status_code = error.status
    return page


def _audit_refusal(spec: RouteSpec, actor: Actor, error: DomainError, url_args: dict[str, Any]) -> None:
    if not actor.signed_in or isinstance(error, StepUpRequired) or not isinstance(error, NotFound | Forbidden):
        return
    record: RefusalRecorder = current_app.extensions["record_refusal"]
    subject = next(iter(url_args.values()), None)
    record(
        services().engine,
        actor,
        spec.needs.value,
        str(subject) if subject else None,
        code=error.code,
        route=spec.rule,
    )


def _translate(error: DBAPIError) -> DomainError:
    state = getattr(error.orig, "sqlstate", None)
    if state in {_LOCK_NOT_AVAILABLE, _QUERY_CANCELED} or isinstance(error, OperationalError):
        current_app.logger.warning("database busy or away", extra={"sqlstate": state})
        return Unavailable("busy", "We could not do this just now. Nothing was changed; please try again.")
    if state == _INSUFFICIENT_PRIVILEGE:
        current_app.logger.error("row security refused a statement", extra={"sqlstate": state})
        return NotFound()
    if state == _EXCLUSION_VIOLATION:
        # Only rights and serial numbers have such constraints; operations say it in more words where they expect it.
        return Conflict("rights_conflict", "Somebody else was granted the same just now. Nothing was changed.")
    raise error
