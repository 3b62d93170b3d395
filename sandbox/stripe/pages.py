"""The pages that people see: paying, onboarding, and an overview."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from babel.dates import format_datetime
from babel.numbers import format_currency, get_currency_precision
from flask import Blueprint, redirect, render_template, request
from flask.typing import ResponseReturnValue

from sandbox.stripe import accounts, checkout
from sandbox.stripe.acts import ACTS, happen
from sandbox.stripe.charges import CARDS
from sandbox.stripe.errors import ApiError
from sandbox.stripe.store import Json
from sandbox.stripe.text import TEXT, language
from sandbox.stripe.world import World

_WORDS = {"succeed": "succeed", "challenge": "challenge_card"}
_SHOWN = 100


def blueprint(world: World) -> Blueprint:
    """The page routes."""
    routes = Blueprint("pages", __name__)
    lock = world.store.lock

    @routes.errorhandler(ApiError)
    def unknown(_: ApiError) -> ResponseReturnValue:
        lang = language(None, request.accept_languages)
        t = TEXT[lang]
        return _closed(lang, t["unknown"], t["unknown_text"], None), 404

    @routes.get("/c/pay/<session_id>")
    def show(session_id: str) -> ResponseReturnValue:
        with lock:
            return _payment_page(world.store.get(session_id, "checkout.session"))

    @routes.post("/c/pay/<session_id>")
    def pay(session_id: str) -> ResponseReturnValue:
        with lock:
            session = world.store.get(session_id, "checkout.session")
            if session["status"] != "open":
                return _payment_page(session)
            number = request.form.get("card", "")
            what, reason = CARDS.get(number, ("decline", "generic_decline"))
            if number == "bank" and len(session["payment_method_types"]) > 1:
                what = "bank"
            if request.args.get("step") == "challenge":
                what = "succeed" if request.form.get("answer") == "yes" else "refused"
            if what == "challenge":
                lang = _lang(session)
                total = _money(session["amount_total"], session["currency"], lang)
                return render_template("stripe_challenge.html", t=TEXT[lang], lang=lang, total=total)
            if what == "bank":
                checkout.pay_by_bank(world, session_id)
                return redirect(_success_url(session), 303)
            if what == "succeed":
                checkout.pay(world, session_id, number or next(iter(CARDS)))
                return redirect(_success_url(session), 303)
            checkout.decline(world, session_id, reason or "generic_decline")
            problem = {"refused": "challenge_failed"}.get(
                what, "declined_funds" if reason == "insufficient_funds" else "declined"
            )
            return _payment_page(session, problem, number), 402

    @routes.route("/onboarding/<token>", methods=["GET", "POST"])
    def onboarding(token: str) -> ResponseReturnValue:
        with lock:
            link = world.store.kept("link").get(token)
            lang = language(None, request.accept_languages)
            t = TEXT[lang]
            if link is None:
                return _closed(lang, t["unknown"], t["unknown_text"], None), 404
            if link["used"] or link["expires_at"] < world.store.now():
                return redirect(link["refresh_url"], 303)
            step, problem = request.form.get("step"), None
            if request.method == "POST" and (step == "later" or request.form.get("terms")):
                world.store.keep("link", token, {**link, "used": True})
                if step == "finish":
                    accounts.onboard(world, link["account"])
                return redirect(link["return_url"], 303)
            if request.method == "POST":
                problem = t["need_terms"]
            account = world.store.get(link["account"], "v2.core.account")
            return render_template("stripe_onboarding.html", t=t, lang=lang, account=account, problem=problem)

    @routes.post("/events/<event_id>/resend")
    def resend(event_id: str) -> ResponseReturnValue:
        world.webhooks.deliver(event_id)
        return redirect("/", 303)

    @routes.post("/do/<what>/<object_id>")
    def act(what: str, object_id: str) -> ResponseReturnValue:
        lang = language(None, request.accept_languages)
        with lock:
            try:
                happen(world, what, object_id)
            except ApiError as error:
                return _closed(lang, TEXT[lang]["refused"], str(error), "/"), 409
        return redirect("/", 303)

    @routes.get("/")
    def index() -> ResponseReturnValue:
        lang = language(None, request.accept_languages)
        with lock:
            return render_template("stripe_index.html", t=TEXT[lang], lang=lang, **_overview(world, lang))

    return routes


def _payment_page(session: Json, problem: str | None = None, chosen: str = "") -> str:
    lang = _lang(session)
    t = TEXT[lang]
    if session["status"] == "complete":
        return _closed(lang, t["paid"], t["paid_text"], _success_url(session))
    if session["status"] == "expired":
        return _closed(lang, t["expired"], t["expired_text"], session["cancel_url"])
    currency = session["currency"]
    lines = [{**item, "total": _money(item["amount_total"], currency, lang)} for item in session["_items"]]
    return render_template(
        "stripe_pay.html",
        t=t,
        lang=lang,
        lines=lines,
        total=_money(session["amount_total"], currency, lang),
        reference=session["client_reference_id"],
        email=session["customer_email"] or "",
        cancel_url=session["cancel_url"],
        problem=t[problem] if problem else None,
        chosen=chosen or next(iter(CARDS)),
        banks=[("bank", t["bank_later"])] if len(session["payment_method_types"]) > 1 else [],
        bank_kind=session["payment_method_types"][-1],
        cards=[
            {
                "number": number,
                "shown": " ".join(number[i : i + 4] for i in range(0, 16, 4)),
                "what": t[reason or _WORDS[what]],
            }
            for number, (what, reason) in CARDS.items()
        ],
    )


def _closed(lang: str, heading: str, text: str, back: str | None) -> str:
    return render_template("stripe_closed.html", t=TEXT[lang], lang=lang, heading=heading, text=text, back=back)


def _overview(world: World, lang: str) -> dict[str, Any]:
    sessions = [
        {**s, "what": s["_items"][0]["description"], "amount": _money(s["amount_total"], s["currency"], lang)}
        for s in world.store.all("checkout.session")
    ]
    people = [
        {
            "id": a["id"],
            "name": a["display_name"],
            "country": a["_country"],
            "status": a["_status"],
            "balance": ", ".join(_money(n, c, lang) for c, n in world.balance(a["id"])[0].items() if n) or "–",
            "acts": ACTS["account"],
        }
        for a in world.store.all("v2.core.account")
    ]
    movements = [
        {
            "created": item["created"],
            "kind": kind,
            "amount": _money(item["amount"], item["currency"], lang),
            "account": item.get("destination") or item.get("_account") or item.get("payment_intent"),
            "state": item.get("status") or ("reversed" if item["reversed"] else "made"),
            "id": item["id"],
            "acts": ACTS[kind],
        }
        for kind in ("charge", "transfer", "refund", "payout")
        for item in world.store.all(kind)
    ]
    movements.sort(key=lambda m: m["created"], reverse=True)
    disputes = [
        {**d, "total": _money(d["amount"], d["currency"], lang), "acts": ACTS["dispute"], "due": _when(d, lang)}
        for d in world.store.all("dispute")
    ]
    return {
        "clock": _moment(world.now(), lang),
        "disputes": disputes[:_SHOWN],
        "sessions": sessions[:_SHOWN],
        "accounts": people[:_SHOWN],
        "movements": movements[:_SHOWN],
        "events": world.webhooks.events()[:_SHOWN],
    }


def _when(dispute: Json, lang: str) -> str:
    return _moment(dispute["evidence_details"]["due_by"], lang)


def _moment(epoch: int, lang: str) -> str:
    return format_datetime(datetime.fromtimestamp(epoch, UTC), locale="zh_Hans" if lang == "zh" else "en_US")


def _lang(session: Json) -> str:
    return language(request.args.get("locale") or session["locale"], request.accept_languages)


def _success_url(session: Json) -> str:
    return str(session["success_url"]).replace("{CHECKOUT_SESSION_ID}", session["id"])


def _money(amount: int, currency: str, lang: str) -> str:
    code = currency.upper()
    value = Decimal(amount).scaleb(-get_currency_precision(code))
    return format_currency(value, code, locale="zh_Hans" if lang == "zh" else "en_US")
