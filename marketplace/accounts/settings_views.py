"""Pages of one's own account and organization, and of switching between organizations and languages."""

from flask import redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from marketplace.accounts import operations, sessions
from marketplace.accounts.forms import EmailForm, ProfileForm
from marketplace.accounts.models import Invitation, LoginSession, Membership, User
from marketplace.accounts.queries import members, open_invitations, time_zones, zone_of
from marketplace.kernel.actor import Actor
from marketplace.kernel.errors import NotFound
from marketplace.policy.permissions import Permission
from marketplace.web.call import Call
from marketplace.web.forms import FormState, read_form
from marketplace.web.i18n import COOKIE, LANGUAGES
from marketplace.web.limits import limit
from marketplace.web.navigate import own_path, see_other
from marketplace.web.section import Section

section = Section("settings", url_prefix="/settings")
preferences = Section("preferences", url_prefix="/preferences")


@section.get("", needs=Permission.ACCOUNT)
def account(call: Call, form: FormState | None = None) -> ResponseReturnValue:
    """Name, language, organization, colleagues."""
    return render_template(
        "accounts/settings.html",
        form=form or FormState.of(name=call.actor.name, locale=call.actor.locale),
        time_zones=[(name, name.replace("_", " ")) for name in sorted(time_zones())],
        time_zone=zone_of(call.session, call.user_id),
        members=members(call.session, call.org_id),
        invitations=open_invitations(call.session, call.org_id),
    )


@section.post("", needs=Permission.ACCOUNT, on_invalid=account)
def save_account(call: Call) -> ResponseReturnValue:
    """Change the own name and language."""
    given = read_form(ProfileForm)
    call.session.execute(
        update(User)
        .where(User.id == call.user_id)
        .values(name=given.name, locale=given.locale, time_zone=given.time_zone or None)
    )
    response = see_other("settings.account", toast=_("Saved."))
    _remember_language(call, response, given.locale)
    return response


@section.post("/sign-out-everywhere", needs=Permission.ACCOUNT)
def sign_out_everywhere(call: Call) -> ResponseReturnValue:
    """End every session and token of the person, this one too."""
    sessions.end_all(call.session, call.user_id)
    return see_other("accounts.sign_in_page", toast=_("You are signed out everywhere."))


@section.post("/invitations", needs=Permission.ORG_INVITE, on_invalid=account)
def invite(call: Call) -> ResponseReturnValue:
    """Invite a colleague."""
    limit("invite", call.org_id, "30 per hour")
    given = read_form(EmailForm)
    operations.invite(call.session, call.actor, given.email)
    return see_other("settings.account", toast=_("Invitation sent to %(email)s.", email=given.email))


def load_invitation(session: Session, actor: Actor, invitation_id: str) -> Invitation:
    """An invitation of the actor's organization; raises NotFound."""
    query = select(Invitation).where(Invitation.id == invitation_id, Invitation.org_id == actor.org_id)
    found = session.scalars(query).one_or_none()
    if found is None:
        raise NotFound
    return found


@section.post("/invitations/<invitation_id>/withdraw", needs=Permission.ORG_INVITE, subject=load_invitation)
def withdraw(call: Call, invitation: Invitation) -> ResponseReturnValue:
    """Take an invitation back."""
    operations.withdraw_invitation(call.session, call.actor, invitation)
    return see_other("settings.account", toast=_("The invitation was withdrawn."))


@preferences.post("/time-zone", needs=Permission.ACCOUNT)
def time_zone(call: Call) -> ResponseReturnValue:
    """Where the browser says the person is, unless one was chosen before."""
    zone = request.form.get("zone", "")
    if zone in time_zones():
        unknown = update(User).where(User.id == call.user_id, User.time_zone.is_(None))
        call.session.execute(unknown.values(time_zone=zone))
    return "", 204


@preferences.post("/organization", needs=Permission.ACCOUNT)
def organization(call: Call) -> ResponseReturnValue:
    """Act for another of the person's organizations."""
    org_id = request.form.get("organization", "")
    query = select(Membership.id).where(Membership.user_id == call.user_id, Membership.org_id == org_id)
    if call.session.scalars(query).one_or_none() is None or call.actor.session_id is None:
        raise NotFound
    call.session.execute(update(LoginSession).where(LoginSession.id == call.actor.session_id).values(org_id=org_id))
    return see_other("home.index")


@preferences.post("/language", needs=Permission.PUBLIC)
def language(call: Call) -> ResponseReturnValue:
    """Change the language here and, for a signed-in person, everywhere; stay on the same page."""
    chosen = request.form.get("language", "")
    back = own_path(request.form.get("next")) or url_for("public.landing")
    response = redirect(back, code=303)
    if chosen in LANGUAGES:
        if call.actor.user_id:
            call.session.execute(update(User).where(User.id == call.user_id).values(locale=chosen))
        _remember_language(call, response, chosen)
    return response


def _remember_language(call: Call, response: ResponseReturnValue, locale: str) -> None:
    response.set_cookie(  # type: ignore[union-attr]
        COOKIE,
        locale,
        max_age=365 * 24 * 3600,
        httponly=True,
        samesite="Lax",
        secure=call.settings.secure_cookies,
    )
