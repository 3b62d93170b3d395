"""Finding out whose copy a suspect file is: the index, the originals from the store, the evidence of the copy named.

Runs in the background or at the command line, never in a request: it reads the secrets of copies.
"""

import hashlib
import shutil
from collections.abc import Callable
from math import log
from pathlib import Path
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from ai_pipeline.cad.fingerprint.compare import decided
from ai_pipeline.cad.fingerprint.report import Described, Shape, Suspicion
from ai_pipeline.copies import compare_suspect, describe_suspect
from ai_pipeline.errors import Unreadable
from marketplace.accounts.models import Organization, User
from marketplace.db.unit_of_work import unit_of_work
from marketplace.designs.models import Asset
from marketplace.gateways.storage import ObjectMissing, Storage
from marketplace.kernel.actor import Actor
from marketplace.kernel.errors import Conflict
from marketplace.manufacturing.models import CadCopy, CadCopyKey, CadLink, CadShape, Nda
from marketplace.manufacturing.tracing import CERTAIN, Evidence, Finding, alike, nearest
from marketplace.orders.models import Order
from marketplace.services import Services


def fetch_exactly(storage: Storage, key: str, path: Path, *, size: int, sha256: str) -> None:
    """The object in a file. Raises Conflict `bytes_differ` when it is not the one expected, ObjectMissing."""
    storage.download_to(key, path, max_bytes=size)
    if _sha256(path) != sha256:
        raise Conflict("bytes_differ", "What is stored is not the file that was expected.")


class Investigation:
    """One trace. `scratch` is a folder of its own; `progress(percent)` is called as it goes on."""

    def __init__(self, services: Services, actor: Actor, scratch: Path, progress: Callable[[int], None]) -> None:
        self.services, self.actor, self.scratch, self.progress = services, actor, scratch, progress
        self.out = scratch / "out"
        self.out.mkdir()

    def trace(self, suspect: Path, filename: str) -> Finding:
        """Whose copy it is, or that no origin was found. Never raises for a bad file: the finding says why."""
        found = Finding(filename=filename, sha256=_sha256(suspect))
        with unit_of_work(self.services.engine, self.actor) as session:
            found.copies_on_file = session.scalar(_COUNT) or 0
            same = select(CadCopy.id).where(CadCopy.sha256 == found.sha256)
            if (copy_id := session.scalars(same).first()) is not None:
                found.verdict, found.evidence = "named", [_evidence(session, copy_id, "bytes", 0.0, None)]
                return found
            original = session.scalars(select(CadShape).where(CadShape.sha256 == found.sha256)).first()
            if original is not None:
                found.verdict, found.original = "original", original.filename
                return found
        try:
            described = describe_suspect(suspect, filename=filename, out_dir=self.out)
        except Unreadable as refusal:
            found.verdict, found.reason = "unreadable", refusal.message
            return found
        self.progress(15)
        suspicions = self._compare(suspect, filename, described.shape, found)
        self._decide(found, suspicions, described)
        return found

    def _compare(self, suspect: Path, filename: str, shape: Shape, found: Finding) -> list[Suspicion]:
        """The suspicions against every copy of the originals that are alike, best first."""
        found.shape = shape
        with unit_of_work(self.services.engine, self.actor) as session:
            rows = session.execute(select(CadShape.asset_id, CadShape.shape)).all()
            shapes = [(name, Shape.model_validate(kept)) for name, kept in rows]
            wanted = nearest(shape, [(name, kept) for name, kept in shapes if alike(shape, kept)])
        found.originals_on_file, found.originals_compared = len(shapes), len(wanted)
        suspicions: list[Suspicion] = []
        for number, asset_id in enumerate(wanted):
            suspicions += self._against(suspect, filename, asset_id, found)
            self.progress(15 + 80 * (number + 1) // len(wanted))
        return sorted(suspicions, key=lambda item: item.log_chance)

    def _against(self, suspect: Path, filename: str, asset_id: str, found: Finding) -> list[Suspicion]:
        with unit_of_work(self.services.engine, self.actor) as session:
            kept = session.get_one(CadShape, asset_id)
            asset = session.get(Asset, asset_id)
            keys = {
                row.copy_id: row.secret
                for row in session.execute(
                    select(CadCopyKey.copy_id, CadCopyKey.secret)
                    .join(CadCopy, CadCopy.id == CadCopyKey.copy_id)
                    .where(CadCopy.asset_id == asset_id, CadCopy.sha256.is_not(None))
                )
            }
        folder = self.scratch / asset_id
        folder.mkdir()
        try:
            if asset is None or asset.storage_key is None:
                raise ObjectMissing("missing", "The original is not on file any more.")
            fetch_exactly(
                self.services.storage, asset.storage_key, folder / "original", size=kept.size, sha256=kept.sha256
            )
            (folder / "suspect").hardlink_to(suspect)
            result = compare_suspect(
                folder, suspect=filename, original=kept.filename, scale=kept.scale, keys=keys, out_dir=self.out
            )
        except (Unreadable, ObjectMissing, Conflict) as refusal:
            found.left_out.append(f"{kept.filename}: {refusal}")
            return []
        finally:
            shutil.rmtree(folder)
        found.copies_compared += len(keys)
        found.comparisons += result.comparisons
        if result.suspicions and result.suspicions[0].log_chance < found.best:
            found.best = result.suspicions[0].log_chance
            found.matched, found.corners = result.matched, result.corners
        return result.suspicions

    def _decide(self, found: Finding, suspicions: list[Suspicion], described: Described) -> None:
        sure = [item for item in suspicions if decided(item.log_chance, found.comparisons) <= CERTAIN]
        with unit_of_work(self.services.engine, self.actor) as session:
            found.evidence = [
                _evidence(session, item.copy_id, item.by, item.score, decided(item.log_chance, found.comparisons))
                for item in sure
            ]
            if described.tag is not None:
                tagged = select(CadCopyKey.copy_id).where(CadCopyKey.tag == described.tag)
                copy_id = session.scalars(tagged).one_or_none()
                if copy_id is not None and copy_id not in {item.copy_id for item in found.evidence}:
                    found.evidence.append(_evidence(session, copy_id, "tag", 0.0, None))
        found.verdict = "named" if found.evidence else "none"


_COUNT = select(func.count()).select_from(CadCopy).where(CadCopy.sha256.is_not(None))


def _evidence(session: Session, copy_id: str, by: str, score: float, log_chance: float | None) -> Evidence:
    """Everything on file about one copy."""
    copy = session.get_one(CadCopy, copy_id)
    nda, order = session.get_one(Nda, copy.nda_id), session.get_one(Order, copy.order_id)
    person, maker = session.get(User, copy.user_id), session.get_one(Organization, copy.maker_org_id)
    used = select(CadLink).where(CadLink.copy_id == copy.id, CadLink.used_at.is_not(None))
    link = session.scalars(used).first()
    return Evidence(
        copy_id=copy.id,
        by=by,
        score=score,
        chance_power=None if log_chance is None else log_chance / log(10),
        filename=copy.filename,
        level=copy.level or "none",
        copy_sha256=copy.sha256 or "",
        original_sha256=copy.original_sha256,
        order_id=order.id,
        order_reference=order.reference,
        design=order.design_title,
        maker=maker.name,
        person=person.name if person else copy.user_id,
        email=person.email if person else "",
        nda_id=nda.id,
        nda_version=nda.version,
        nda_sha256=nda.sha256,
        typed_name=nda.typed_name,
        signed_at=nda.created_at,
        made_at=copy.made_at,
        fetched_at=link.used_at if link else None,
        link_id=link.id if link else None,
        ip=link.used_ip if link else None,
    )


def _sha256(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def lines_of(found: Finding) -> list[str]:
    """The finding in plain English, for the command line."""
    told = [f"{found.filename}, SHA-256 {found.sha256}"]
    if found.verdict == "unreadable":
        return [*told, f"The file cannot be read: {found.reason}"]
    if found.verdict == "original":
        return [*told, f"This is the licensed original {found.original} itself, not a copy that was handed out."]
    told.append(
        f"Compared with {found.copies_compared} of {found.copies_on_file} copies, of {found.originals_compared} of"
        f" {found.originals_on_file} originals; {found.comparisons} comparisons."
    )
    told += [f"Left out: {line}" for line in found.left_out]
    if found.verdict == "none":
        return [*told, "No origin found."]
    for item in found.evidence:
        told += [f"Origin: the copy {item.copy_id} of {item.filename}", *(f"  {line}" for line in _about(item))]
    return told


def _about(item: Evidence) -> list[str]:
    facts: dict[str, Any] = {
        "found by": item.words,
        "order": f"{item.order_reference} ({item.order_id}), {item.design}",
        "made for": f"{item.person} <{item.email}>, {item.maker}",
        "NDA": f"version {item.nda_version}, {item.nda_id}, text {item.nda_sha256}",
        "signed": f"by {item.typed_name}, {item.signed_at.isoformat()}",
        "copy made": item.made_at.isoformat() if item.made_at else "–",
        "fetched": f"{item.fetched_at.isoformat()} from {item.ip}, link {item.link_id}" if item.fetched_at else "never",
        "SHA-256 of the copy": item.copy_sha256,
    }
    return [f"{name + ':':21} {value}" for name, value in facts.items()]
