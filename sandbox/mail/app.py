"""The web side: the inbox for people, and the control API."""

import time
from email.utils import parseaddr
from typing import Any

from flask import Flask, Response, abort, jsonify, redirect, render_template, request
from flask.typing import ResponseReturnValue

from sandbox.frontdoor import FailurePlan, json_body, new_app
from sandbox.mail.inbound import Inbound, written_answer
from sandbox.mail.inbox import Inbox

TEXT = {
    "en": {
        "ribbon": "No mail leaves this computer.",
        "inbox": "Inbox",
        "inbox_text": "Every mail that the product sent, newest first.",
        "to": "To",
        "from": "From",
        "subject": "Subject",
        "received": "Received (UTC)",
        "none": "No mail yet.",
        "back": "All mails",
        "links": "Links in this mail",
        "text": "As text",
        "html": "As a page",
        "headers": "Headers",
        "filter": "Show mails to",
        "show": "Show",
        "reply": "Answer",
        "reply_text": "The answer is posted to the product as a mail service would, with this mail quoted below it.",
        "reply_from": "From",
        "reply_words": "Text",
        "reply_forged": "The sender's mail service does not vouch for it (a forged sender)",
        "reply_send": "Send",
        "replied": "Sent. The product answered: %s",
        "reply_waits": "not yet",
    },
    "zh": {
        "ribbon": "邮件不会离开这台电脑。",
        "inbox": "收件箱",
        "inbox_text": "产品发出的所有邮件，最新的在前。",
        "to": "收件人",
        "from": "发件人",
        "subject": "主题",
        "received": "收到时间（UTC）",
        "none": "暂无邮件。",
        "back": "全部邮件",
        "links": "邮件中的链接",
        "text": "纯文本",
        "html": "网页",
        "headers": "邮件头",
        "filter": "只看发给",
        "show": "显示",
        "reply": "回复",
        "reply_text": "回复会像邮件服务那样发送给产品，并在下方引用此邮件。",
        "reply_from": "发件人",
        "reply_words": "正文",
        "reply_forged": "发件人的邮件服务不为其作证（伪造的发件人）",
        "reply_send": "发送",
        "replied": "已发送。产品的答复：%s",
        "reply_waits": "尚未答复",
    },
}
# The mail's own page: its styles and pictures may show, its scripts may not run, its links open a new tab.
_MAIL_CSP = (
    "default-src 'none'; style-src 'unsafe-inline'; img-src data:; sandbox allow-popups allow-popups-to-escape-sandbox"
)


def create(inbox: Inbox, failures: FailurePlan, inbound: Inbound) -> Flask:
    """The Flask app."""
    app = new_app("mail", failures)

    @app.get("/_sandbox/mails")
    def mails() -> Response:
        limit = min(request.args.get("limit", 500, int), 5_000)
        return jsonify(mails=inbox.all(request.args.get("to", ""), request.args.get("subject", ""), limit))

    @app.delete("/_sandbox/mails")
    def clear() -> ResponseReturnValue:
        inbox.clear()
        return "", 204

    @app.get("/")
    def index() -> str:
        lang = _language()
        to = request.args.get("to", "")
        return render_template("mail_index.html", t=TEXT[lang], lang=lang, mails=inbox.all(to, limit=200), to=to)

    @app.get("/mails/<mail_id>")
    def show(mail_id: str) -> str:
        lang = _language()
        mail = inbox.one(mail_id) or abort(404)
        answer_to = mail["headers"].get("Reply-To", "")
        return render_template(
            "mail_show.html",
            t=TEXT[lang],
            lang=lang,
            mail=mail,
            answerable=inbound.takes(answer_to),
            sent=_answers(inbound, answer_to, TEXT[lang]) if "sent" in request.args else "",
        )

    @app.post("/mails/<mail_id>/reply")
    def reply(mail_id: str) -> ResponseReturnValue:
        mail = inbox.one(mail_id) or abort(404)
        words = request.form
        sender = words.get("from") or str(mail["recipients"][0])
        _answer(inbound, mail, words.get("text", ""), sender, vouched="forged" not in words)
        time.sleep(0.4)  # so that the page can tell what the product said
        return redirect(f"/mails/{mail_id}?sent=1", code=303)

    @app.post("/_sandbox/mails/<mail_id>/reply")
    def reply_by_program(mail_id: str) -> Response:
        mail, wish = inbox.one(mail_id) or abort(404), json_body()
        sender = str(wish.get("from") or mail["recipients"][0])
        vouched = bool(wish.get("vouched", True))
        return jsonify(_answer(inbound, mail, str(wish.get("text", "")), sender, vouched=vouched))

    @app.get("/_sandbox/inbound")
    def deliveries() -> Response:
        return jsonify(deliveries=list(inbound.deliveries)[::-1])

    @app.get("/mails/<mail_id>/page")
    def page(mail_id: str) -> Response:
        mail = inbox.one(mail_id) or abort(404)
        return Response(
            '<base target="_blank">' + mail["html"],
            headers={"Content-Security-Policy": _MAIL_CSP},
            mimetype="text/html",
        )

    return app


def _answer(inbound: Inbound, mail: dict[str, Any], text: str, sender: str, *, vouched: bool) -> dict[str, Any]:
    to = parseaddr(mail["headers"].get("Reply-To", ""))[1]
    if not inbound.takes(to):
        abort(400, "this mail cannot be answered")
    return inbound.deliver(sender, to, written_answer(mail, text, sender), vouched=vouched)


def _answers(inbound: Inbound, address: str, words: dict[str, str]) -> str:
    """What the product last said to mail for this address."""
    to = parseaddr(address)[1]
    last = next((made for made in reversed(inbound.deliveries) if made["recipient"] == to), None)
    told = ", ".join(str(status) for status in last["answers"]) if last else ""
    return words["replied"] % (told or words["reply_waits"])


def _language() -> str:
    best = request.accept_languages.best_match(["en", "zh", "zh-CN", "zh-TW", "zh-HK"], default="en")
    return "zh" if str(best).startswith("zh") else "en"
