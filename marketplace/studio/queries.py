"""Reading what a designer's page shows, in as few statements as possible."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from sqlalchemy import select
from sqlalchemy.orm import Session

from marketplace.db.jobs import JobName, JobRow
from marketplace.designs import rules as design_rules
from marketplace.designs.models import Asset, Derivative, Design, Fact
from marketplace.designs.operations import readiness
from marketplace.designs.pictures import Picture, derivatives_of, group
from marketplace.designs.queries import assets_of, facts_of
from marketplace.studio.models import ContentDraft

_KIND_OF_JOB = {str(JobName.DRAFT_STORY): "story", str(JobName.DRAFT_LOOKBOOK): "lookbook"}


@dataclass(slots=True)
class Workspace:
    """Everything about one design, for its owner."""

    design: Design
    assets: Sequence[Asset]
    derivatives: Sequence[Derivative]
    facts: list[Fact]
    drafts: dict[str, ContentDraft] = field(default_factory=dict)
    jobs: dict[str, JobRow] = field(default_factory=dict)
    checks: list[design_rules.Check] = field(default_factory=list)

    @property
    def pictures(self) -> list[Picture]:
        """Pictures that are shown, in order."""
        return [p for p in group(self.derivatives) if not p.hidden]

    @property
    def hidden_pictures(self) -> list[Picture]:
        """Renders that were left out and can come back."""
        present = {asset.id for asset in self.assets}
        return [p for p in group(self.derivatives) if p.hidden and p.asset_id in present]

    @property
    def turntables(self) -> list[Derivative]:
        """Animations of the piece turning, the house look first."""
        present = {asset.id for asset in self.assets}
        found = [d for d in self.derivatives if d.view.partition(".")[0] == "turntable" and d.asset_id in present]
        return sorted(found, key=lambda row: (row.asset_id, row.view))

    @property
    def busy(self) -> bool:
        """Whether a file is being read or rendered, so that the page should look again."""
        return any(
            a.state in {"uploaded", "processing"} or a.render_state in {"queued", "running"} for a in self.assets
        )


def workspace(session: Session, design: Design) -> Workspace:
    """The design with files, pictures, facts, words and checklist: five statements."""
    found = workspace_results(session, design)
    found.drafts, found.jobs = drafts_of(session, design.id), jobs_of(session, design.id)
    return found


def workspace_results(session: Session, design: Design) -> Workspace:
    """The same without words: four statements; what the polled fragment needs."""
    found = workspace_files(session, design)
    found.checks = design_rules.checklist(readiness(session, design, found.assets, found.pictures))
    return found


def workspace_files(session: Session, design: Design) -> Workspace:
    """Files, what was made of them, and facts: three statements; what the tech pack needs."""
    return Workspace(
        design=design,
        assets=assets_of(session, design.id),
        derivatives=derivatives_of(session, design.id),
        facts=facts_of(session, design.id),
    )


def drafts_of(session: Session, design_id: str) -> dict[str, ContentDraft]:
    """The open draft (or else the approved words) of each kind."""
    query = (
        select(ContentDraft)
        .where(ContentDraft.design_id == design_id, ContentDraft.state != "superseded")
        .order_by(ContentDraft.state)  # approved before draft: the draft wins
    )
    return {row.kind: row for row in session.scalars(query)}


def jobs_of(session: Session, design_id: str) -> dict[str, JobRow]:
    """The latest drafting job of each kind."""
    query = (
        select(JobRow)
        .where(JobRow.subject == design_id, JobRow.name.in_(_KIND_OF_JOB))
        .order_by(JobRow.created_at.desc())
        .limit(8)
    )
    found: dict[str, JobRow] = {}
    for row in session.scalars(query):
        found.setdefault(_KIND_OF_JOB[row.name], row)
    return found


def thumbs_of(session: Session, asset_id: str) -> list[Picture]:
    """The pictures of one file."""
    query = (
        select(Derivative)
        .where(Derivative.asset_id == asset_id)
        .order_by(Derivative.position, Derivative.view, Derivative.width)
    )
    return group(session.scalars(query).all())
