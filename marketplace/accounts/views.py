"""Pages of signing up, in and out."""

from flask import make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from marketplace.accounts import operations, sessions
from marketplace.accounts.forms import AcceptForm, EmailForm, PasswordForm, SignInForm, SignUpForm
from marketplace.accounts.models import Organization, User
from marketplace.accounts.queries import countries
from marketplace.accounts.rules import SIGN_UP_ROLES, email_key
from marketplace.audit.operations import record
from marketplace.gateways.tokens import Purpose
from marketplace.kernel.errors import Invalid, Unauthenticated
from marketplace.policy.permissions import Permission
from marketplace.web.call import Call, services
from marketplace.web.forms import FormState, read_form
from marketplace.web.i18n import locale_code
from marketplace.web.limits import limit, network
from marketplace.web.navigate import own_path, see_other
from marketplace.web.section import Section

section = Section("accounts")

CONFIRM_LIFE = 3 * 24 * 3600
RESET_LIFE = 3600
INVITE_LIFE = 7 * 24 * 3600


@section.get("/join", needs=Permission.PUBLIC)
def join_page(call: Call, form: FormState | None = None) -> ResponseReturnValue:
    """Sign-up; `?role=` chooses the kind of business."""
    role = request.args.get("role", "")
    initial = FormState.of(role=role if role in SIGN_UP_ROLES else "", country="")
    return render_template("accounts/join.html", form=form or initial, countries=countries(locale_code()))


@section.post("/join", needs=Permission.PUBLIC, on_invalid=join_page)
def join(call: Call) -> ResponseReturnValue:
    """Create the account and show that a mail is on its way; the same page for a known address."""
    limit("sign-up", network(call.actor.ip), "60 per hour")
    given = read_form(SignUpForm)
    operations.sign_up(
        call.session,
        call.actor,
        operations.SignUp(
            name=given.name,
            email=given.email,
            password=given.password,
            role=given.role,
            business_name=given.business_name,
            address=given.address,
            country=given.country,
            locale=locale_code(),
        ),
    )
    return see_other("accounts.check_mail", email=given.email)


@section.get("/join/check-mail", needs=Permission.PUBLIC)
def check_mail(call: Call) -> ResponseReturnValue:
    """What to do next after signing up or asking for a reset."""
    return render_template("accounts/check_mail.html", email=request.args.get("email", "")[:254])


@section.get("/confirm/<token>", needs=Permission.PUBLIC)
def confirm_page(call: Call, token: str) -> ResponseReturnValue:
    """The link in the mail: a page with one button, so that mail scanners do not confirm by reading."""
    _read_token(Purpose.EMAIL_CONFIRM, token, CONFIRM_LIFE)
    return render_template("accounts/confirm.html", token=token)


@section.post("/confirm/<token>", needs=Permission.PUBLIC)
def confirm(call: Call, token: str) -> ResponseReturnValue:
    """Mark the address as proven."""
    operations.confirm_email(call.session, call.actor, _read_token(Purpose.EMAIL_CONFIRM, token, CONFIRM_LIFE))
    target = "home.index" if call.actor.signed_in else "accounts.sign_in_page"
    return see_other(target, toast=_("Your e-mail address is confirmed."))


@section.post("/confirm-again", needs=Permission.ACCOUNT)
def confirm_again(call: Call) -> ResponseReturnValue:
    """Mail the confirmation link once more."""
    limit("confirm-again", call.user_id, "5 per hour")
    user = call.session.get_one(User, call.user_id)
    operations.send_confirmation(call.session, user)
    return see_other("home.index", toast=_("We sent the link again to %(email)s.", email=user.email))


@section.get("/sign-in", needs=Permission.PUBLIC)
def sign_in_page(call: Call, form: FormState | None = None) -> ResponseReturnValue:
    """The sign-in form."""
    return render_template("accounts/sign_in.html", form=form or FormState.of(next=request.args.get("next", "")))


@section.post("/sign-in", needs=Permission.PUBLIC, on_invalid=sign_in_page)
def sign_in(call: Call) -> ResponseReturnValue:
    """Begin a session under a new id; the old one, if any, ends."""
    given = read_form(SignInForm)
    sessions.limit_guesses(given.email, call.actor.ip)
    try:
        user, membership = operations.check_credentials(call.session, given.email, given.password)
    except Unauthenticated as error:
        raise Invalid(error.code, error.message) from error
    if call.actor.session_id:
        sessions.end(call.session, call.actor.session_id)
    return _signed_in(call, user.id, membership.org_id, own_path(given.next) or url_for("home.index"))


@section.post("/sign-out", needs=Permission.ACCOUNT)
def sign_out(call: Call) -> ResponseReturnValue:
    """End this session on the server, so that a copied cookie is worth nothing."""
    if call.actor.session_id:
        sessions.end(call.session, call.actor.session_id)
    record(call.session, call.actor, "account.signed_out", call.user_id)
    response = see_other("public.landing")
    response.delete_cookie(sessions.cookie_name(), secure=call.settings.secure_cookies, httponly=True, samesite="Lax")
    return response


@section.get("/reset", needs=Permission.PUBLIC)
def reset_page(call: Call, form: FormState | None = None) -> ResponseReturnValue:
    """Ask for a reset link."""
    return render_template("accounts/reset.html", form=form or FormState())


@section.post("/reset", needs=Permission.PUBLIC, on_invalid=reset_page)
def reset(call: Call) -> ResponseReturnValue:
    """Send the link, or nothing; the answer is the same."""
    given = read_form(EmailForm)
    limit("reset", email_key(given.email), "5 per hour")
    limit("reset-network", network(call.actor.ip), "30 per hour")
    operations.request_reset(call.session, given.email)
    return see_other("accounts.check_mail", email=given.email)


@section.get("/reset/new", needs=Permission.PUBLIC)
def new_password_page(call: Call, form: FormState | None = None) -> ResponseReturnValue:
    """Choose a new password by link."""
    token = request.values.get("token", "")
    _read_token(Purpose.PASSWORD_RESET, token, RESET_LIFE)
    return render_template("accounts/new_password.html", form=form or FormState(), token=token)


@section.post("/reset/new", needs=Permission.PUBLIC, on_invalid=new_password_page)
def new_password(call: Call) -> ResponseReturnValue:
    """Set it and end all sessions."""
    given = read_form(PasswordForm)
    payload = _read_token(Purpose.PASSWORD_RESET, given.token, RESET_LIFE)
    user = operations.reset_password(call.session, call.actor, payload, given.password)
    sessions.end_all(call.session, user.id)
    return see_other("accounts.sign_in_page", toast=_("Your password is changed. Please sign in."))


@section.get("/invitation", needs=Permission.PUBLIC)
def invitation_page(call: Call, form: FormState | None = None) -> ResponseReturnValue:
    """Join a colleague's organization by link."""
    token = request.values.get("token", "")
    payload = _read_token(Purpose.INVITE, token, INVITE_LIFE)
    invitation = operations.open_invitation(call.session, payload["invitation"])
    organization = call.session.get_one(Organization, invitation.org_id)
    return render_template(
        "accounts/invitation.html",
        form=form or FormState(),
        token=token,
        organization=organization,
        invitation=invitation,
    )


@section.post("/invitation", needs=Permission.PUBLIC, on_invalid=invitation_page)
def accept_invitation(call: Call) -> ResponseReturnValue:
    """Join and sign in."""
    given = read_form(AcceptForm)
    limit("invitation", network(call.actor.ip), "20 per hour")
    payload = _read_token(Purpose.INVITE, given.token, INVITE_LIFE)
    try:
        user, membership = operations.accept_invitation(
            call.session,
            call.actor,
            payload["invitation"],
            name=given.name,
            password=given.password,
            locale=locale_code(),
        )
    except Unauthenticated as error:
        raise Invalid(error.code, error.message) from error
    return _signed_in(call, user.id, membership.org_id, url_for("home.index"))


def _signed_in(call: Call, user_id: str, org_id: str, target: str) -> ResponseReturnValue:
    value = sessions.start(call.session, user_id=user_id, org_id=org_id)
    record(call.session, call.actor, "account.signed_in", user_id, owner_org_id=org_id)
    response = make_response(redirect(target, code=303))
    response.set_cookie(
        sessions.cookie_name(),
        value,
        max_age=int(sessions.LIFE.total_seconds()),
        httponly=True,
        secure=call.settings.secure_cookies,
        samesite="Lax",
        path="/",
    )
    return response


def _read_token(purpose: Purpose, token: str, life: int) -> dict[str, str]:
    return services().tokens.read(purpose, token, life)
