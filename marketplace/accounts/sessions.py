"""Who sends this request: browser sessions and API tokens, found in one statement."""

import hashlib
import secrets
from dataclasses import replace
from datetime import timedelta
from typing import Any

from flask import g, request
from sqlalchemy import delete, text
from sqlalchemy.orm import Session

from marketplace.accounts.models import ApiToken, LoginSession
from marketplace.accounts.rules import email_key
from marketplace.kernel import clock
from marketplace.kernel.actor import ANONYMOUS, Actor
from marketplace.kernel.errors import Unauthenticated
from marketplace.web.call import services
from marketplace.web.limits import limit, network
from marketplace.web.logs import request_id

LIFE = timedelta(days=14)

# One statement finds the person, the organization acted for, all memberships and the unread counts, and sets the
# transaction-local settings that row security reads (they count from the next statement on).
_FIND = """
select u.id as user_id, u.name, u.email, u.locale, u.email_confirmed_at is not null as confirmed,
       m.org_id, m.role, m.is_admin, o.name as org_name, o.kind as org_kind, o.state as org_state, {columns},
       (select count(*) from (select 1 from notifications n
          where n.user_id = u.id and n.read_at is null limit 100) unread) as unread,
       unread_threads(m.org_id) as unread_threads,
       (select json_agg(json_build_object('id', mo.org_id, 'name', oo.name, 'role', mo.role) order by oo.name)
          from memberships mo join organizations oo on oo.id = mo.org_id where mo.user_id = u.id) as organizations,
       set_config('app.user', u.id, true), set_config('app.org', m.org_id, true), set_config('app.role', m.role, true)
from {source} s join users u on u.id = s.user_id
join lateral (select * from memberships m where m.user_id = u.id {choice} limit 1) m on true
join organizations o on o.id = m.org_id
where s.id = :id and s.expires_at > :now and u.suspended_at is null
"""
_BY_SESSION = text(
    _FIND.format(source="sessions", columns="null::jsonb as scopes, s.proved_at", choice="and m.org_id = s.org_id")
)
_BY_TOKEN = text(
    _FIND.format(
        source="api_tokens",
        columns="s.scopes as scopes, s.created_at as proved_at",
        choice="and (cast(:org as text) is null or m.org_id = :org) order by m.created_at, m.id",
    )
)


def cookie_name() -> str:
    """`__Host-` prefixed wherever the site is served over https."""
    return "__Host-touchstone" if services().settings.secure_cookies else "touchstone_session"


def limit_guesses(email: str, ip: str | None) -> None:
    """Count one try to sign in, by page or by API alike; raises TooMany. Spellings of one address are one address."""
    limit("sign-in", f"{email_key(email)}:{network(ip)}", "30 per 5 minutes")
    limit("sign-in-network", network(ip), "300 per 5 minutes")


def authenticate(session: Session, *, api: bool) -> Actor:
    """The actor of the current request; raises Unauthenticated for a bad token, never for a stale cookie."""
    anonymous = replace(ANONYMOUS, ip=request.remote_addr, request_id=request_id())
    if api:
        header = request.headers.get("Authorization", "")
        if not header:
            return anonymous
        scheme, _space, token = header.partition(" ")
        if scheme.lower() != "bearer" or not token:
            raise Unauthenticated("bad_token", "Send the token as: Authorization: Bearer <token>.")
        wanted = request.headers.get("Touchstone-Organization") or None
        actor = _find(session, _BY_TOKEN, token, {"org": wanted})
        if actor is None:
            raise Unauthenticated("bad_token", "This token is not valid (any more) for this organization.")
        return actor
    cookie = request.cookies.get(cookie_name())
    return (_find(session, _BY_SESSION, cookie, {}) if cookie else None) or anonymous


def start(session: Session, *, user_id: str, org_id: str) -> str:
    """Begin a session with a fresh random id and return the cookie's value."""
    value = secrets.token_urlsafe(32)
    session.add(
        LoginSession(
            id=_hash(value),
            user_id=user_id,
            org_id=org_id,
            expires_at=clock.now() + LIFE,
            ip=request.remote_addr,
            user_agent=(request.user_agent.string or "")[:300],
        )
    )
    return value


def issue_token(session: Session, *, user_id: str, scopes: list[str], life: timedelta) -> tuple[str, ApiToken]:
    """A new bearer token, shown this once, and its row."""
    value = "tst_" + secrets.token_urlsafe(32)
    row = ApiToken(id=_hash(value), user_id=user_id, scopes=scopes, expires_at=clock.now() + life)
    session.add(row)
    return value, row


def end(session: Session, session_id: str) -> None:
    """End one session."""
    session.execute(delete(LoginSession).where(LoginSession.id == session_id))


def end_all(session: Session, user_id: str) -> None:
    """End every session and token of a person."""
    session.execute(delete(LoginSession).where(LoginSession.user_id == user_id))
    session.execute(delete(ApiToken).where(ApiToken.user_id == user_id))


def _find(session: Session, statement: Any, secret: str, extra: dict[str, Any]) -> Actor | None:
    digest = _hash(secret)
    row = session.execute(statement, {"id": digest, "now": clock.now(), **extra}).one_or_none()
    if row is None:
        return None
    g.unread_count = row.unread
    g.unread_threads = row.unread_threads
    g.organizations = row.organizations or []
    return Actor(
        kind="person",
        user_id=row.user_id,
        org_id=row.org_id,
        org_kind=row.org_kind,
        role=row.role,
        is_admin=row.is_admin,
        approved=row.org_state == "approved",
        confirmed=row.confirmed,
        name=row.name,
        email=row.email,
        org_name=row.org_name,
        locale=row.locale,
        ip=request.remote_addr,
        request_id=request_id(),
        session_id=digest,
        scopes=frozenset(row.scopes) if row.scopes is not None else None,
        proved_at=row.proved_at,
    )


def _hash(value: str) -> str:
    return hashlib.sha256(value.encode()).hexdigest()
