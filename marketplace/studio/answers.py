"""Designs, files, drafts and jobs as the API answers them."""

from typing import Any

from marketplace.db.jobs import JobRow
from marketplace.designs.models import Asset, Design, Fact
from marketplace.designs.operations import checklist_json
from marketplace.designs.pictures import Picture, Sign
from marketplace.designs.queries import fact_json
from marketplace.designs.rules import PART_SIZE, parts_of
from marketplace.designs.transfers import Parts
from marketplace.designs.uploads import NewUpload
from marketplace.designs.vocabulary import reason_text
from marketplace.studio.models import ContentDraft
from marketplace.studio.queries import Workspace
from marketplace.web.forms import Body


class FactOut(Body):
    """One fact."""

    name: str
    value: Any = None
    unit: str
    source: str
    method: str
    confidence: float
    tolerance: float | None = None
    reason: str | None = None
    confirmed_by: str | None = None
    confirmed_at: str | None = None


class DerivativeOut(Body):
    """A picture made from a file; `url` is signed and lives ten minutes at most."""

    id: str
    view: str
    width: int
    height: int | None
    url: str
    placeholder: str | None = None


class AssetOut(Body):
    """A file; `units` holds every unit a CAD file could be drawn in, `choices` what a person decided of it.

    `status` awaiting_upload, uploaded, processing, ready or rejected; `render` the state of its pictures,
    their progress and, while they wait, how many other files come first."""

    id: str
    design: str | None
    order: str | None
    kind: str
    filename: str
    content_type: str
    size: int
    sha256: str
    status: str
    progress: int
    reason: dict[str, Any] | None = None
    findings: list[dict[str, Any]] = []
    render: dict[str, Any] | None = None
    derivatives: list[DerivativeOut] = []
    facts: list[dict[str, Any]] = []
    unit: str | None = None
    units: dict[str, Any] | None = None
    layers: list[dict[str, Any]] = []
    choices: dict[str, Any] = {}


class PartedOut(Body):
    """Sending in parts instead, which can be interrupted: post to `url`, PUT the parts it names, then complete."""

    url: str
    part_size: int
    parts: int


class FormOut(Body):
    """Sending in one go: post `fields`, then the bytes as `file`, to `url`, before `expires_at`."""

    method: str
    url: str
    fields: dict[str, str]
    expires_at: str
    multipart: PartedOut


class DuplicateOut(Body):
    """A file of one's own organization with the same bytes, and the design it belongs to."""

    asset: str
    design: str | None
    filename: str
    title: str | None


class UploadOut(Body):
    """A file was announced. `duplicate_of` is a file of one's own organization that has the same bytes."""

    asset: AssetOut
    upload: FormOut
    duplicate_of: DuplicateOut | None = None


class PartOut(Body):
    """Bytes `offset` to `offset + size` of the file; PUT them to `url`, which is null once they have arrived."""

    number: int
    offset: int
    size: int
    url: str | None


class PartsOut(Body):
    """All parts in their order; the addresses work until `expires_at`. Complete the file when every `url` is null."""

    part_size: int
    expires_at: str
    parts: list[PartOut]


class DraftOut(Body):
    """Drafted or approved words."""

    id: str
    kind: str
    status: str
    text: dict[str, Any]
    findings: list[dict[str, Any]]
    sources: list[str]
    edited: bool
    ai: bool
    sandbox: bool
    version: int
    approved_by: str | None = None
    approved_at: str | None = None


class CheckOut(Body):
    """A line of the listing checklist."""

    code: str
    done: bool
    blocking: bool


class DesignOut(Body):
    """A design of one's own."""

    id: str
    status: str
    title: str
    category: str | None
    description: str
    metadata: dict[str, Any]
    list_price: dict[str, Any] | None
    no_cad_reason: str | None
    version: int
    listed_at: str | None
    purge_after: str | None
    created_at: str
    facts: list[FactOut]
    pictures: list[DerivativeOut]
    assets: list[AssetOut]
    story: DraftOut | None
    lookbook: list[dict[str, Any]]
    lookbook_draft: DraftOut | None
    checklist: list[CheckOut]


class DesignLine(Body):
    """A design in a list."""

    id: str
    status: str
    title: str
    category: str | None
    version: int
    created_at: str
    image: str | None


class DesignPage(Body):
    """A page of designs."""

    items: list[DesignLine]
    next_cursor: str | None


class ListingOut(Body):
    """Where a design stands after listing or removing."""

    id: str
    status: str
    version: int
    listed_at: str | None
    purge_after: str | None


class JobOut(Body):
    """A piece of background work: queued, running, done or failed."""

    id: str
    name: str
    state: str
    progress: int
    error: str | None
    subject: str | None


class JobsOut(Body):
    """Work that was staged."""

    jobs: list[JobOut]


def fact_out(fact: Fact) -> FactOut:
    """A fact."""
    return FactOut(**fact_json(fact))


def picture_out(picture: Picture, sign: Sign) -> DerivativeOut:
    """A picture at its largest width."""
    best = picture.best(4000)
    return DerivativeOut(
        id=picture.id,
        view=picture.view,
        width=best.width or 0,
        height=best.height,
        url=sign(best.storage_key),
        placeholder=picture.placeholder,
    )


def asset_out(asset: Asset, pictures: list[Picture], sign: Sign, before: int | None = None) -> AssetOut:
    """A file with the pictures that belong to it; `before` counts the files the picture studio takes first."""
    reason = asset.reason
    return AssetOut(
        id=asset.id,
        design=asset.design_id,
        order=asset.order_id,
        kind=asset.kind,
        filename=asset.filename,
        content_type=asset.content_type,
        size=asset.size,
        sha256=asset.sha256,
        status=asset.state,
        progress=asset.progress,
        reason={"code": reason["code"], "detail": reason_text(reason)} if reason else None,
        findings=[*asset.report.get("findings", []), *asset.report.get("warnings", [])],
        render=_render(asset, before),
        derivatives=[picture_out(p, sign) for p in pictures if p.asset_id == asset.id],
        facts=asset.report.get("facts", []),
        unit=asset.unit,
        units=asset.report.get("units"),
        layers=asset.report.get("layers", []),
        choices=asset.choices,
    )


def _render(asset: Asset, before: int | None) -> dict[str, Any] | None:
    if asset.render_state is None:
        return None
    told: dict[str, Any] = {"state": asset.render_state, "progress": asset.render_progress}
    return told if before is None else {**told, "waiting_before": before}


def upload_out(new: NewUpload) -> UploadOut:
    """The announced file with its form."""
    twin = new.twin
    return UploadOut(
        asset=asset_out(new.asset, [], str),
        upload=FormOut(
            method=new.upload.method,
            url=new.upload.url,
            fields=new.upload.fields,
            expires_at=new.upload.expires_at.isoformat(),
            multipart=PartedOut(
                url=f"/api/v1/assets/{new.asset.id}/parts",
                part_size=PART_SIZE,
                parts=len(parts_of(new.asset.size)),
            ),
        ),
        duplicate_of=DuplicateOut(asset=twin.id, design=twin.design_id, filename=twin.filename, title=new.twin_title)
        if twin
        else None,
    )


def parts_out(found: Parts) -> PartsOut:
    """The parts with their addresses."""
    listed = [PartOut(number=p.number, offset=p.offset, size=p.size, url=p.url) for p in found.parts]
    return PartsOut(part_size=PART_SIZE, expires_at=found.expires_at.isoformat(), parts=listed)


def draft_out(draft: ContentDraft) -> DraftOut:
    """Words with what is known about them."""
    return DraftOut(
        id=draft.id,
        kind=draft.kind,
        status=draft.state,
        text=draft.text,
        findings=draft.findings,
        sources=draft.sources,
        edited=draft.edited,
        ai=draft.ai_call_id is not None,
        sandbox=draft.sandbox,
        version=draft.version,
        approved_by=draft.approved_by_name,
        approved_at=draft.approved_at.isoformat() if draft.approved_at else None,
    )


def design_out(found: Workspace, sign: Sign) -> DesignOut:
    """Everything about a design for its owner."""
    design, pictures = found.design, found.pictures
    story, lookbook = found.drafts.get("story"), found.drafts.get("lookbook")
    price = design.list_price
    return DesignOut(
        id=design.id,
        status=design.state,
        title=design.title,
        category=design.category,
        description=design.description,
        metadata=design.details,
        list_price={"amount": price.amount, "currency": price.currency} if price else None,
        no_cad_reason=design.no_cad_reason,
        version=design.version,
        listed_at=design.listed_at.isoformat() if design.listed_at else None,
        purge_after=design.purge_after.isoformat() if design.purge_after else None,
        created_at=design.created_at.isoformat(),
        facts=[fact_out(fact) for fact in found.facts],
        pictures=[picture_out(p, sign) for p in pictures],
        assets=[asset_out(a, pictures, sign) for a in found.assets],
        story=draft_out(story) if story else None,
        lookbook=[_lookbook_page(page) for page in lookbook.text.get("pages", [])] if lookbook else [],
        lookbook_draft=draft_out(lookbook) if lookbook else None,
        checklist=[CheckOut(**line) for line in checklist_json(found.checks)],
    )


def _lookbook_page(page: dict[str, Any]) -> dict[str, Any]:
    """A page with the file its picture was made from, which is what approving it names."""
    return {**page, "asset": str(page.get("picture", "")).partition(".")[0]}


def design_line(design: Design, sign: Sign) -> DesignLine:
    """A design in a list."""
    return DesignLine(
        id=design.id,
        status=design.state,
        title=design.title,
        category=design.category,
        version=design.version,
        created_at=design.created_at.isoformat(),
        image=sign(design.cover["key"]) if design.cover else None,
    )


def listing_out(design: Design) -> ListingOut:
    """Where a design stands."""
    return ListingOut(
        id=design.id,
        status=design.state,
        version=design.version,
        listed_at=design.listed_at.isoformat() if design.listed_at else None,
        purge_after=design.purge_after.isoformat() if design.purge_after else None,
    )


def job_out(job: JobRow) -> JobOut:
    """A piece of work."""
    return JobOut(
        id=job.id, name=job.name, state=job.state, progress=job.progress, error=job.error, subject=job.subject
    )
