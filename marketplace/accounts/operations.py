"""What happens to people and organizations: sign-up, confirmation, sign-in, reset, invitations, vetting."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from marketplace.accounts.lookalikes import skeleton
from marketplace.accounts.models import Invitation, Membership, Organization, UsedToken, User
from marketplace.accounts.passwords import hash_password, verify_password
from marketplace.accounts.queries import lookalikes
from marketplace.accounts.rules import TERMS_VERSION, VETTING, email_key, first_state, password_problem
from marketplace.audit.operations import record
from marketplace.db.locks import lock
from marketplace.kernel import clock
from marketplace.kernel.actor import Actor
from marketplace.kernel.errors import Conflict, Invalid, NotFound, Unauthenticated
from marketplace.notifications.operations import notify_org, send_mail


@dataclass(frozen=True, slots=True)
class SignUp:
    """What a person gives to join with a new organization."""

    name: str
    email: str
    password: str
    role: str
    business_name: str
    address: str
    country: str
    locale: str = "en"


def sign_up(session: Session, actor: Actor, given: SignUp) -> User | None:
    """Create the person and the organization, and mail a confirmation link.

    An address that already has an account gets a mail saying so and None is returned, so that the page cannot be
    used to find out who has an account. Raises Invalid for a weak password.
    """
    _check_password(given.password, (given.name, given.email, given.business_name))
    hashed = hash_password(given.password)
    existing = session.scalars(select(User).where(User.email_key == email_key(given.email))).one_or_none()
    if existing is not None:
        send_mail(
            session,
            to=existing.email,
            locale=existing.locale,
            template="already_registered",
            user_id=existing.id,
        )
        return None
    user = _new_user(session, given.name, given.email, hashed, given.locale)
    organization = Organization(
        name=given.business_name,
        skeleton=skeleton(given.business_name),
        kind=given.role,
        address=given.address,
        country=given.country,
        state=first_state(given.role),
    )
    session.add(organization)
    session.flush()
    session.add(Membership(org_id=organization.id, user_id=user.id, role=given.role, is_admin=True))
    record(session, actor, "account.signed_up", user.id, owner_org_id=organization.id, role=given.role)
    send_confirmation(session, user)
    alike = lookalikes(session, organization)
    if alike:
        names = [found.name for found in alike]
        record(session, actor, "org.looks_alike", organization.id, outcome="flagged", like=[o.id for o in alike])
        path = f"/desk/vetting/{organization.id}"
        _tell_operators(session, "org_looks_alike", path, org=organization.name, other=names[0])
    if organization.state == VETTING.initial:
        _tell_operators(session, "org_pending", "/desk/vetting", org=organization.name, role=given.role)
    return user


def _tell_operators(session: Session, kind: str, path: str, **params: Any) -> None:
    for operator_org in session.scalars(select(Organization.id).where(Organization.kind == "operator")):
        notify_org(session, operator_org, kind, path=path, **params)


def send_confirmation(session: Session, user: User) -> None:
    """Mail the link that proves the address."""
    send_mail(
        session,
        to=user.email,
        locale=user.locale,
        template="confirm_email",
        user_id=user.id,
        name=user.name,
        token={"purpose": "email-confirm", "user": user.id, "email": user.email_key},
    )


def confirm_email(session: Session, actor: Actor, payload: dict[str, str]) -> User:
    """Mark the address of the token's person as proven; harmless when repeated. Raises NotFound."""
    user = lock(session, User, payload["user"])
    if user.email_key != payload["email"]:
        raise NotFound
    if user.email_confirmed_at is None:
        user.email_confirmed_at = clock.now()
        record(session, actor, "account.email_confirmed", user.id)
    return user


def check_credentials(session: Session, email: str, password: str) -> tuple[User, Membership]:
    """The person with this address and password, and the first membership.

    Raises Unauthenticated with the same words (and after the same time) whatever was wrong.
    """
    user = session.scalars(select(User).where(User.email_key == email_key(email))).one_or_none()
    good = verify_password(user.password_hash if user else None, password)
    if user is None or not good or user.suspended_at is not None:
        raise Unauthenticated("bad_credentials", "The e-mail address or the password is not right.")
    membership = session.scalars(
        select(Membership).where(Membership.user_id == user.id).order_by(Membership.created_at, Membership.id).limit(1)
    ).one_or_none()
    if membership is None:
        raise Unauthenticated("bad_credentials", "The e-mail address or the password is not right.")
    return user, membership


def request_reset(session: Session, email: str) -> None:
    """Mail a reset link if there is such an account; the caller cannot tell."""
    user = session.scalars(select(User).where(User.email_key == email_key(email))).one_or_none()
    if user is not None and user.suspended_at is None:
        send_mail(
            session,
            to=user.email,
            locale=user.locale,
            template="reset_password",
            user_id=user.id,
            name=user.name,
            token={"purpose": "password-reset", "user": user.id},
        )


def reset_password(session: Session, actor: Actor, payload: dict[str, str], password: str) -> User:
    """Set a new password by a one-time token. Raises Conflict `link_used`, Invalid for a weak password."""
    user = lock(session, User, payload["user"])
    _check_password(password, (user.name, user.email))
    use_once(session, payload["jti"], "password_reset")
    user.password_hash = hash_password(password)
    user.email_confirmed_at = user.email_confirmed_at or clock.now()
    record(session, actor, "account.password_reset", user.id)
    return user


def use_once(session: Session, jti: str, purpose: str) -> None:
    """Spend a token; raises Conflict `link_used` the second time, whatever its spelling."""
    spent = session.execute(
        insert(UsedToken)
        .values(id=jti, purpose=purpose, created_at=clock.now())
        .on_conflict_do_nothing()
        .returning(UsedToken.id)
    ).first()
    if spent is None:
        raise Conflict("link_used", "This link has already been used. Please ask for a new one.")


def invite(session: Session, actor: Actor, email: str) -> Invitation:
    """Invite a colleague by mail into the actor's organization, with the actor's role."""
    if actor.org_id is None or actor.user_id is None or actor.role is None:
        raise NotFound
    invitation = Invitation(org_id=actor.org_id, email=email.strip(), role=actor.role, invited_by=actor.user_id)
    session.add(invitation)
    session.flush()
    record(session, actor, "org.member_invited", invitation.id, owner_org_id=actor.org_id)
    send_mail(
        session,
        to=invitation.email,
        locale=actor.locale,
        template="invitation",
        inviter=actor.name,
        org=actor.org_name,
        token={"purpose": "invite", "invitation": invitation.id},
    )
    return invitation


def withdraw_invitation(session: Session, actor: Actor, invitation: Invitation) -> None:
    """Take an open invitation back; raises Conflict when it was accepted meanwhile."""
    row = lock(session, Invitation, invitation.id)
    if row.accepted_at is not None:
        raise Conflict("invitation_accepted", "The invitation has already been accepted.")
    row.withdrawn_at = clock.now()
    record(session, actor, "org.invitation_withdrawn", row.id, owner_org_id=row.org_id)


def open_invitation(session: Session, invitation_id: str) -> Invitation:
    """The invitation of a link while it can be accepted; raises Conflict `link_used` otherwise."""
    row = session.get(Invitation, invitation_id)
    if row is None or row.accepted_at is not None or row.withdrawn_at is not None:
        raise Conflict("link_used", "This invitation is no longer open. Please ask your colleague for a new one.")
    return row


def accept_invitation(
    session: Session, actor: Actor, invitation_id: str, *, name: str, password: str, locale: str
) -> tuple[User, Membership]:
    """Join the organization: a new person with a password, or a known one proving theirs. One use.

    Raises Conflict `link_used`, Invalid for a weak password, Unauthenticated for a wrong one.
    """
    lock(session, Invitation, invitation_id)
    invitation = open_invitation(session, invitation_id)
    user = session.scalars(select(User).where(User.email_key == email_key(invitation.email))).one_or_none()
    if user is not None:
        if not verify_password(user.password_hash, password):
            raise Unauthenticated("bad_credentials", "The e-mail address or the password is not right.")
    else:
        _check_password(password, (name, invitation.email))
        user = _new_user(session, name, invitation.email, hash_password(password), locale)
    user.email_confirmed_at = user.email_confirmed_at or clock.now()
    invitation.accepted_at = clock.now()
    membership = session.scalars(
        select(Membership).where(Membership.org_id == invitation.org_id, Membership.user_id == user.id)
    ).one_or_none()
    if membership is None:
        membership = Membership(org_id=invitation.org_id, user_id=user.id, role=invitation.role, is_admin=False)
        session.add(membership)
        session.flush()
    record(session, actor, "org.member_joined", user.id, owner_org_id=invitation.org_id)
    return user, membership


def review(session: Session, actor: Actor, organization: Organization, action: str, reason: str | None = None) -> None:
    """Approve, refuse or suspend an organization and tell its members. Raises Conflict, Invalid without a reason."""
    row = lock(session, Organization, organization.id)
    if action != "approve" and not reason:
        raise Invalid("reason_missing", "Please give a reason.", fields={"reason": "Please give a reason."})
    before = VETTING.advance(row, action, {actor.role or actor.kind})
    row.reviewed_at, row.reviewed_by, row.review_reason = clock.now(), actor.user_id, reason
    record(session, actor, f"org.{action}", row.id, owner_org_id=row.id, before=before, after=row.state)
    if action == "approve":
        notify_org(session, row.id, "org_approved", path="/", org=row.name)
    else:
        notify_org(session, row.id, "org_refused", path="/", org=row.name, reason=reason or "")


def create_operator(
    session: Session, actor: Actor, *, name: str, email: str, password: str, brand: str, country: str
) -> User:
    """An operator account (command line only); with the first, the organization of that brand and country."""
    _check_password(password, (name, email))
    organization = session.scalars(select(Organization).where(Organization.kind == "operator").limit(1)).one_or_none()
    if organization is None:
        organization = Organization(name=brand, kind="operator", address="", country=country, state="approved")
        session.add(organization)
    user = _new_user(session, name, email, hash_password(password), "en")
    user.email_confirmed_at = clock.now()
    session.flush()
    session.add(Membership(org_id=organization.id, user_id=user.id, role="operator", is_admin=True))
    record(session, actor, "account.operator_created", user.id, owner_org_id=organization.id)
    return user


def _new_user(session: Session, name: str, email: str, hashed: str, locale: str) -> User:
    moment = clock.now()
    user = User(
        name=name,
        email=email.strip(),
        email_key=email_key(email),
        password_hash=hashed,
        locale=locale,
        adult_declared_at=moment,
        terms_version=TERMS_VERSION,
        terms_accepted_at=moment,
    )
    session.add(user)
    try:
        session.flush()
    except IntegrityError as error:
        raise Conflict("email_taken", "This address was registered a moment ago. Please sign in.") from error
    return user


def _check_password(password: str, context: tuple[str, ...]) -> None:
    problem = password_problem(password, context)
    if problem:
        raise Invalid("weak_password", "Please choose another password.", fields={"password": problem})
