"""Pages on which the operator finds out whose copy a suspect CAD file is."""

import hashlib
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from tempfile import TemporaryDirectory

from flask import make_response, render_template, request
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from ai_pipeline.cad.precheck import EXTENSIONS
from marketplace.db.unit_of_work import unit_of_work
from marketplace.desk.access import load_trace
from marketplace.desk.queries import recent_traces
from marketplace.kernel.errors import Invalid
from marketplace.manufacturing import traces
from marketplace.manufacturing.models import CadTrace
from marketplace.manufacturing.tracing import Finding
from marketplace.policy.permissions import Permission
from marketplace.web.call import AfterCommit, Call
from marketplace.web.errors import is_htmx
from marketplace.web.forms import FormState
from marketplace.web.limits import limit
from marketplace.web.navigate import see_other
from marketplace.web.section import Section

section = Section("tracing", url_prefix="/desk/trace")

#: Larger suspects go through the command line (`marketplace trace`).
MAX_MB = 64
_TYPE = "application/octet-stream"


@dataclass(frozen=True, slots=True)
class Suspect:
    """A file that was handed in, on disk."""

    path: Path
    filename: str
    size: int
    sha256: str


@section.get("", needs=Permission.CAD_TRACE)
def index(call: Call, form: FormState | None = None) -> ResponseReturnValue:
    """Hand in a file, and those handed in lately."""
    return render_template(
        "desk/trace.html",
        form=form or FormState(),
        traces=recent_traces(call.session),
        limit_mb=MAX_MB,
        accept=",".join(f".{name}" for name in EXTENSIONS),
    )


@section.post("", needs=Permission.CAD_TRACE, on_invalid=index, max_bytes=(MAX_MB + 1) << 20)
def hand_in(call: Call) -> ResponseReturnValue | AfterCommit:
    """Take the file in and have it traced in the background. It is parsed by nobody here."""
    limit("trace", call.user_id, "60 per hour")
    folder = TemporaryDirectory(prefix="suspect-")
    try:
        suspect = _taken(Path(folder.name) / "suspect")
    except Invalid:
        folder.cleanup()
        raise
    key = call.services.storage.new_key("suspects")

    def go() -> ResponseReturnValue:
        with folder:
            call.services.storage.put_file(key, suspect.path, _TYPE, suspect.sha256)
        with unit_of_work(call.services.engine, call.actor) as session:
            row = traces.ask(
                session,
                call.actor,
                filename=suspect.filename,
                size=suspect.size,
                sha256=suspect.sha256,
                key=key,
            )
        return see_other("tracing.show", trace_id=row.id)

    return AfterCommit(go)


@section.get("/<trace_id>", needs=Permission.CAD_TRACE, subject=load_trace)
def show(call: Call, trace: CadTrace) -> ResponseReturnValue:
    """What was found, or how far it is."""
    del call
    found = Finding.model_validate(trace.result) if trace.result else None
    template = "desk/_finding.html" if is_htmx() else "desk/trace_result.html"
    return make_response(render_template(template, trace=trace, found=found))


def _taken(target: Path) -> Suspect:
    """The uploaded file on disk. Raises Invalid for none, an empty or too large one, or a name of no CAD format."""
    upload = request.files.get("file")
    name = PurePosixPath((upload.filename or "").replace("\\", "/")).name if upload else ""
    if upload is None or not name:
        raise _refused(_("Choose a file."))
    if PurePosixPath(name).suffix.lstrip(".").lower() not in EXTENSIONS:
        raise _refused(_("This is not a CAD file we can read. Choose STL, OBJ, PLY, GLB, 3MF, STEP or 3DM."))
    upload.save(target)
    size = target.stat().st_size
    if size == 0:
        raise _refused(_("The file is empty. Choose another file."))
    if size > MAX_MB << 20:
        told = _("The file has %(size)s MB; the limit here is %(limit)s MB.", size=size >> 20, limit=MAX_MB)
        raise _refused(told)
    with target.open("rb") as stream:
        return Suspect(target, name[:255], size, hashlib.file_digest(stream, "sha256").hexdigest())


def _refused(told: str) -> Invalid:
    return Invalid("bad_file", "The file cannot be traced.", fields={"file": told})
