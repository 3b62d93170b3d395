"""API calls of designers: designs, files, facts, words, listing, jobs."""

from flask import request
from sqlalchemy import select
from sqlalchemy.orm import Session

from marketplace.db.jobs import JobRow
from marketplace.designs import choices, facts, operations, render_queue, transfers, uploads
from marketplace.designs.access import load_asset, load_design
from marketplace.designs.models import Asset, Design
from marketplace.designs.queries import designs_of
from marketplace.kernel.actor import Actor
from marketplace.kernel.errors import NotFound
from marketplace.policy.decide import relations_of
from marketplace.policy.permissions import Permission
from marketplace.studio import answers
from marketplace.studio import operations as words
from marketplace.studio.answers import (
    AssetOut,
    DesignLine,
    DesignOut,
    DesignPage,
    DraftOut,
    FactOut,
    JobOut,
    JobsOut,
    ListingOut,
    PartsOut,
    UploadOut,
)
from marketplace.studio.forms import (
    AssetIn,
    ChoicesIn,
    ContentIn,
    DesignIn,
    DesignPatch,
    FactIn,
    ListForm,
    PicturesIn,
)
from marketplace.studio.queries import thumbs_of, workspace
from marketplace.web.call import AfterCommit, Call
from marketplace.web.forms import read_query
from marketplace.web.section import Api

api = Api("studio")


@api.get("/designs", needs=Permission.DESIGN_CREATE, returns=DesignPage, summary="One's own designs")
def list_designs(call: Call) -> DesignPage:
    """Newest first; `q`, `state`, `cursor`, `limit`."""
    given = read_query(ListForm)
    limit = request.args.get("limit", default=24, type=int)
    found = designs_of(call.session, call.org_id, q=given.q, state=given.state, cursor=given.cursor, limit=limit)
    sign = call.services.storage.image_url
    lines: list[DesignLine] = [answers.design_line(row, sign) for row in found.items]
    return DesignPage(items=lines, next_cursor=found.next_cursor)


@api.call(
    "POST",
    "/designs",
    needs=Permission.DESIGN_CREATE,
    body=DesignIn,
    returns=DesignOut,
    status=201,
    summary="Create a design",
)
def create_design(call: Call, body: DesignIn) -> DesignOut:
    """A new draft."""
    design = operations.create_design(
        call.session,
        call.actor,
        title=body.title,
        category=body.category,
        description=body.description,
        details=body.metadata.model_dump(),
        list_price=body.list_price.money() if body.list_price else None,
        no_cad_reason=body.no_cad_reason,
    )
    return _design(call, design)


@api.get(
    "/designs/<design_id>", needs=Permission.DESIGN_READ, subject=load_design, returns=DesignOut, summary="A design"
)
def show_design(call: Call, design: Design) -> DesignOut:
    """With facts, files, words and checklist."""
    return _design(call, design)


@api.call(
    "PATCH",
    "/designs/<design_id>",
    needs=Permission.DESIGN_EDIT,
    subject=load_design,
    body=DesignPatch,
    returns=DesignOut,
    summary="Change a design",
)
def edit_design(call: Call, design: Design, body: DesignPatch) -> DesignOut:
    """Change the sent fields."""
    row = operations.edit_design(call.session, call.actor, design, body.changes(), base_version=body.version)
    return _design(call, row)


@api.call(
    "POST",
    "/designs/<design_id>/assets",
    needs=Permission.ASSET_UPLOAD,
    subject=load_design,
    body=AssetIn,
    returns=UploadOut,
    status=201,
    summary="Announce a file; its bytes go straight to the object store",
)
def create_asset(call: Call, design: Design, body: AssetIn) -> UploadOut:
    """A form for exactly these bytes."""
    return announce(call, design, body)


@api.call(
    "POST",
    "/assets/<asset_id>/complete",
    needs=Permission.ASSET_UPLOAD,
    subject=load_asset,
    returns=AssetOut,
    status=202,
    summary="Say that the bytes have arrived",
)
def complete_asset(call: Call, asset: Asset) -> AfterCommit:
    """Looks at the object store, then has the file checked."""
    return AfterCommit(lambda: answers.asset_out(complete(call, asset), [], str))


@api.call(
    "POST",
    "/assets/<asset_id>/parts",
    needs=Permission.ASSET_UPLOAD,
    subject=load_asset,
    returns=PartsOut,
    summary="Where the parts of a file that have not arrived yet go",
)
def asset_parts(call: Call, asset: Asset) -> AfterCommit:
    """PUT each part that has a `url` there, without further headers; ask again when addresses have expired."""
    return AfterCommit(lambda: parts(call, asset))


@api.call(
    "POST",
    "/assets/<asset_id>/reuse",
    needs=Permission.ASSET_UPLOAD,
    subject=load_asset,
    returns=AssetOut,
    status=202,
    summary="Take the bytes from a file that is here already",
)
def reuse_asset(call: Call, asset: Asset) -> AfterCommit:
    """For an announced file with `duplicate_of`; 409 `not_here` means that the bytes have to be sent after all."""
    return AfterCommit(lambda: answers.asset_out(reuse(call, asset), [], str))


@api.get(
    "/assets/<asset_id>",
    needs=Permission.ASSET_READ,
    subject=load_asset,
    returns=AssetOut,
    summary="A file and what was made of it",
)
def show_asset(call: Call, asset: Asset) -> AssetOut:
    """State, progress, pictures, facts."""
    before = render_queue.waiting_before(call.session, [asset]).get(asset.id)
    return answers.asset_out(asset, thumbs_of(call.session, asset.id), call.services.storage.image_url, before)


@api.call(
    "POST",
    "/assets/<asset_id>/pictures",
    needs=Permission.ASSET_UPLOAD,
    subject=load_asset,
    body=PicturesIn,
    returns=JobOut,
    status=202,
    summary="More pictures of a CAD file in another look and alloy",
)
def request_pictures(call: Call, asset: Asset, body: PicturesIn) -> JobOut:
    """Four views; what was made before is not made twice."""
    return answers.job_out(
        render_queue.request_pictures(call.session, call.actor, asset, look=body.look, alloy=body.alloy)
    )


@api.call(
    "POST",
    "/assets/<asset_id>/choices",
    needs=Permission.ASSET_UPLOAD,
    subject=load_asset,
    body=ChoicesIn,
    returns=AssetOut,
    status=202,
    summary="Decide the unit, the layers and the parts of a CAD file",
)
def choose(call: Call, asset: Asset, body: ChoicesIn) -> AssetOut:
    """The file is read again when something changed; 409 while it is being read."""
    row = choices.choose(call.session, call.actor, asset, unit=body.unit, layers=body.layers, roles=body.roles)
    return answers.asset_out(row, [], str)


@api.call("DELETE", "/assets/<asset_id>", needs=Permission.ASSET_UPLOAD, subject=load_asset, summary="Remove a file")
def remove_asset(call: Call, asset: Asset) -> None:
    """Take the file away."""
    uploads.remove_asset(call.session, call.actor, asset)


@api.call(
    "PATCH",
    "/designs/<design_id>/facts/<name>",
    needs=Permission.DESIGN_EDIT,
    subject=load_design,
    body=FactIn,
    returns=FactOut,
    summary="Confirm or correct a fact",
)
def patch_fact(call: Call, design: Design, body: FactIn) -> FactOut:
    """Confirm the present value, state another, or take that back."""
    fact = facts.set_fact(
        call.session,
        call.actor,
        design,
        fact_name(str((request.view_args or {})["name"])),
        value=body.value,
        unit=body.unit,
        confirmed=body.confirmed,
    )
    return answers.fact_out(fact)


@api.call(
    "POST",
    "/designs/<design_id>/content",
    needs=Permission.CONTENT_DRAFT,
    subject=load_design,
    body=ContentIn,
    returns=JobsOut,
    status=202,
    summary="Have words drafted from the facts",
)
def request_content(call: Call, design: Design, body: ContentIn) -> JobsOut:
    """Jobs that draft a story or a lookbook."""
    jobs = words.request_content(call.session, call.actor, design, body.kinds)
    return JobsOut(jobs=[answers.job_out(job) for job in jobs])


@api.call(
    "POST",
    "/designs/<design_id>/story/approve",
    needs=Permission.CONTENT_APPROVE,
    subject=load_design,
    returns=DraftOut,
    summary="Approve the drafted story",
)
def approve_story(call: Call, design: Design) -> DraftOut:
    """Publish the story with the approver's name."""
    draft = words.current_draft(call.session, design.id, "story")
    if draft.state != "approved":
        words.approve_draft(call.session, call.actor, draft)
    return answers.draft_out(draft)


@api.call(
    "POST",
    "/designs/<design_id>/lookbook/<asset>/approve",
    needs=Permission.CONTENT_APPROVE,
    subject=load_design,
    returns=DraftOut,
    summary="Approve a page of the lookbook, or all of it",
)
def approve_lookbook(call: Call, design: Design) -> DraftOut:
    """`asset` is the file whose picture the page shows, or the draft's id for every page at once."""
    reference = str((request.view_args or {})["asset"])
    draft = words.current_draft(call.session, design.id, "lookbook")
    if reference != draft.id:
        words.approve_page(call.session, call.actor, draft, reference)
    elif draft.state != "approved":
        words.approve_draft(call.session, call.actor, draft)
    return answers.draft_out(draft)


@api.call(
    "POST",
    "/designs/<design_id>/list",
    needs=Permission.DESIGN_LIST,
    subject=load_design,
    returns=ListingOut,
    summary="Put a design into the catalog",
)
def list_design(call: Call, design: Design) -> ListingOut:
    """409 `not_listable` names what is missing."""
    return answers.listing_out(operations.list_design(call.session, call.actor, design))


@api.call(
    "POST",
    "/designs/<design_id>/unlist",
    needs=Permission.DESIGN_LIST,
    subject=load_design,
    returns=ListingOut,
    summary="Take a design out of the catalog",
)
def unlist_design(call: Call, design: Design) -> ListingOut:
    """Its files are kept until `purge_after`."""
    return answers.listing_out(operations.unlist_design(call.session, call.actor, design))


def load_job(session: Session, actor: Actor, job_id: str) -> JobRow:
    """A job of the actor's organization; raises NotFound."""
    query = select(JobRow).where(JobRow.id == job_id, JobRow.org_id == actor.org_id)
    found = session.scalars(query).one_or_none()
    if found is None:
        raise NotFound
    return found


@relations_of.register
def _job(subject: JobRow, actor: Actor) -> frozenset[str]:
    return frozenset({"owner"}) if actor.org_id is not None and subject.org_id == actor.org_id else frozenset()


@api.get("/jobs/<job_id>", needs=Permission.JOB_READ, subject=load_job, returns=JobOut, summary="Background work")
def show_job(call: Call, job: JobRow) -> JobOut:
    """State and progress."""
    return answers.job_out(job)


def announce(call: Call, design: Design, body: AssetIn) -> UploadOut:
    """Announce a file of a design."""
    new = uploads.create_asset(
        call.session,
        call.actor,
        call.services.storage,
        design=design,
        kind=body.kind,
        filename=body.filename,
        content_type=body.content_type,
        size=body.size,
        sha256=body.sha256,
    )
    return answers.upload_out(new)


def complete(call: Call, asset: Asset) -> Asset:
    """After the request's transaction: join what was sent, look at it, note that the bytes are there."""
    return transfers.complete(call.services.engine, call.services.storage, call.actor, asset)


def parts(call: Call, asset: Asset) -> PartsOut:
    """After the request's transaction: what has arrived and where the rest goes."""
    return answers.parts_out(transfers.parts(call.services.engine, call.services.storage, call.actor, asset))


def reuse(call: Call, asset: Asset) -> Asset:
    """After the request's transaction: copy the bytes of a file that is here."""
    return transfers.reuse(call.services.engine, call.services.storage, call.actor, asset)


def fact_name(name: str) -> str:
    """A fact's name from an address; raises NotFound for what could not be one."""
    if not name.replace("_", "").isalnum() or not name.isascii() or len(name) > 60:
        raise NotFound
    return name.lower()


def _design(call: Call, design: Design) -> DesignOut:
    return answers.design_out(workspace(call.session, design), call.services.storage.image_url)
