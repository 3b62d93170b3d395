"""Staging notifications and mail inside the transaction that causes them."""

from datetime import date, datetime
from typing import Any, Protocol

from sqlalchemy import text
from sqlalchemy.orm import Session

from marketplace.db.jobs import JobName, stage
from marketplace.kernel.money import Money
from marketplace.notifications.models import Mail, Notification

_MEMBERS = text(
    "select u.id, u.email, u.locale from memberships m join users u on u.id = m.user_id"
    " where m.org_id = :org and u.suspended_at is null order by m.created_at, m.id limit 50"
)


class Person(Protocol):
    """Whom to tell: an id, an address and a language."""

    @property
    def id(self) -> str: ...
    @property
    def email(self) -> str: ...
    @property
    def locale(self) -> str: ...


def notify_org(
    session: Session, org_id: str, kind: str, *, path: str | None = None, mail: bool = True, **params: Any
) -> None:
    """Tell every member of an organization, in the app and (unless `mail=False`) by mail.

    `kind` names an entry of notifications/kinds.py. `params` fill its sentence: plain strings, numbers; amounts, days
    and moments, which each reader gets as their language writes them; or a {message, params} to be said in it. `path`
    is the page of ours to open.
    """
    for member in session.execute(_MEMBERS, {"org": org_id}):
        notify_person(session, member, org_id, kind, path=path, mail=mail, **params)


def notify_person(
    session: Session,
    person: Person,
    org_id: str,
    kind: str,
    *,
    path: str | None = None,
    mail: bool = True,
    **params: Any,
) -> None:
    """Tell one member of an organization; otherwise as `notify_org`."""
    params = {name: _kept(value) for name, value in params.items()}
    session.add(Notification(user_id=person.id, org_id=org_id, kind=kind, params=params, path=path))
    if mail:
        send_mail(
            session,
            to=person.email,
            locale=person.locale,
            template="notification",
            user_id=person.id,
            kind=kind,
            path=path,
            org_id=org_id,
            **params,
        )


def _kept(value: Any) -> Any:
    """A parameter as the database keeps it."""
    if isinstance(value, Money):
        return {"amount": value.amount, "currency": value.currency}
    if isinstance(value, datetime):
        return {"moment": value.isoformat()}
    return {"day": value.isoformat()} if isinstance(value, date) else value


def send_mail(
    session: Session, *, to: str, locale: str, template: str, user_id: str | None = None, **params: Any
) -> str:
    """Stage one mail from `templates/email/<template>/` and return its id.

    Links with tokens are made when it is sent: pass `token={"purpose": ..., ...payload}` and the template gets `link`.
    """
    row = Mail(to=to, locale=locale, template=template, user_id=user_id, params=params)
    session.add(row)
    session.flush()
    stage(session, JobName.SEND_MAIL, row.id, {"mail_id": row.id}, subject=row.id, user_id=user_id)
    return row.id
