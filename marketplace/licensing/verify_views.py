"""The public page that checks a signed document, without a login and without showing what it says."""

import hashlib

from flask import render_template, request
from flask.typing import ResponseReturnValue

from marketplace.kernel.errors import Invalid
from marketplace.licensing.contract import verifying
from marketplace.licensing.contract.verifying import Answer
from marketplace.policy.permissions import Permission
from marketplace.web.call import Call
from marketplace.web.forms import FormState
from marketplace.web.limits import limit, network
from marketplace.web.section import Section

section = Section("verify", url_prefix="/verify")


@section.get("", needs=Permission.PUBLIC)
def index(call: Call, form: FormState | None = None) -> ResponseReturnValue:
    """A code to type or a file to check."""
    return render_template("verify/index.html", form=form, answer=None, code="")


@section.post("", needs=Permission.PUBLIC, on_invalid=index)
def check(call: Call) -> ResponseReturnValue:
    """By file, code or both. The page's script sends the fingerprint alone; without it the file is read and dropped."""
    limit("verify", network(call.actor.ip), verifying.RATE)
    sent = request.files.get("file")
    code, digest = request.form.get("code", "").strip(), request.form.get("sha256", "").strip()
    if not digest and sent is not None and sent.filename:
        digest = hashlib.sha256(sent.read()).hexdigest()
    if not code and not digest:
        words = "Type the code of the certificate, or choose the file."
        raise Invalid("invalid", words, fields={"code": words})
    return _answer(verifying.check(call.session, code=code, sha256=digest), code)


@section.get("/<code>", needs=Permission.PUBLIC)
def by_code(call: Call, code: str) -> ResponseReturnValue:
    """The address that the certificate prints: what the code belongs to, and the form to check the file by it.

    404 when no document has this code.
    """
    limit("verify", network(call.actor.ip), verifying.RATE)
    answer = verifying.check(call.session, code=code)
    return _answer(answer, code), 200 if answer.found else 404


def _answer(answer: Answer, code: str) -> str:
    return render_template("verify/index.html", form=None, answer=answer, code=code)
