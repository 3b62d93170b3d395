"""Uploading by a plain form, for browsers without a script: small files, through the web process."""

import hashlib

from flask import request
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from werkzeug.datastructures import FileStorage

from marketplace.designs import transfers, uploads
from marketplace.designs.access import load_design
from marketplace.designs.models import Asset, Design
from marketplace.designs.rules import MAX_PLAIN_FORM
from marketplace.kernel.errors import Invalid
from marketplace.policy.permissions import Permission
from marketplace.studio.forms import PlainUploadForm
from marketplace.studio.views import show
from marketplace.studio.words_views import section
from marketplace.web.call import AfterCommit, Call
from marketplace.web.forms import read_form
from marketplace.web.navigate import see_other

#: The section of the designs, extended here once more; composition takes it from this module.
__all__ = ["section"]
#: Fields and boundaries of the form beside its files.
_ROOM = 100_000


@section.post(
    "/<design_id>/files",
    needs=Permission.ASSET_UPLOAD,
    subject=load_design,
    on_invalid=show,
    max_bytes=MAX_PLAIN_FORM + _ROOM,
)
def upload(call: Call, design: Design) -> AfterCommit:
    """Take the files of the form; their bytes lie in a temporary file until they are in the store."""
    kind = read_form(PlainUploadForm).kind
    files = [file for file in request.files.getlist("file") if file.filename]
    if not files:
        raise Invalid("no_file", "Choose a file first.")
    taken = [(_announce(call, design, kind, file), file) for file in files]

    def run() -> ResponseReturnValue:
        for asset, file in taken:
            transfers.receive(call.services.engine, call.services.storage, call.actor, asset, file.stream)
        return see_other("designs.show", toast=_("Sent. The files are being checked."), design_id=design.id)

    return AfterCommit(run)


def _announce(call: Call, design: Design, kind: str, file: FileStorage) -> Asset:
    digest = hashlib.file_digest(file.stream, "sha256")  # type: ignore[arg-type]
    size = file.stream.tell()
    new = uploads.create_asset(
        call.session,
        call.actor,
        call.services.storage,
        design=design,
        kind=kind,
        filename=file.filename or "",
        content_type=file.mimetype,
        size=size,
        sha256=digest.hexdigest(),
    )
    return new.asset
