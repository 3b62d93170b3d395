"""The web side: the inbox for people, and the control API."""

from flask import Flask, Response, abort, jsonify, render_template, request
from flask.typing import ResponseReturnValue

from sandbox.frontdoor import FailurePlan, new_app
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
    },
}
# The mail's own page: its styles and pictures may show, its scripts may not run, its links open a new tab.
_MAIL_CSP = (
    "default-src 'none'; style-src 'unsafe-inline'; img-src data:; sandbox allow-popups allow-popups-to-escape-sandbox"
)


def create(inbox: Inbox, failures: FailurePlan) -> Flask:
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
        return render_template("mail_show.html", t=TEXT[lang], lang=lang, mail=mail)

    @app.get("/mails/<mail_id>/page")
    def page(mail_id: str) -> Response:
        mail = inbox.one(mail_id) or abort(404)
        return Response(
            '<base target="_blank">' + mail["html"],
            headers={"Content-Security-Policy": _MAIL_CSP},
            mimetype="text/html",
        )

    return app


def _language() -> str:
    best = request.accept_languages.best_match(["en", "zh", "zh-CN", "zh-TW", "zh-HK"], default="en")
    return "zh" if str(best).startswith("zh") else "en"
