"""Making pictures of CAD in an isolated child process; each is stored and shown as soon as it is finished."""

import hashlib
import tempfile
from pathlib import Path

from sqlalchemy.orm import Session

from ai_pipeline.cad.alloys import ALLOYS
from ai_pipeline.cad.studio.materials import finish_of
from ai_pipeline.errors import Unreadable
from ai_pipeline.intake import render_cad
from marketplace.designs import processing, renders
from marketplace.designs.processing import Made, Work
from marketplace.designs.renders import Sitting
from workers.jobs.photos import web_sizes
from workers.jobs.studio import fetch
from workers.run import Run

#: The widest a page shows a picture on a common screen; twice the edge costs four times the work.
RENDER_PIXELS = 1024
#: The first set of every file, in the order in which its pictures are most useful.
FIRST_SET = (
    "hero", "three_quarter", "detail", "front", "side", "top", "back", "scale", "heat", "exploded", "turntable",
)  # fmt: skip
#: What another look or alloy is asked for.
MORE = ("hero", "three_quarter", "detail", "turntable")
DEFAULT_LOOK, DEFAULT_ALLOY = "ivory", "18k_yellow"
#: Words in a typed metal that tell which alloy its pictures show; the first that fits.
_HINTS = (("platin", "platinum_950_ru"), ("silver", "sterling"), ("rose", "18k_rose"), ("white", "18k_white_pd"))
_STEP = 5
_WEBP = "image/webp"


class _Gone(Exception):
    """The file was removed or is read anew: nobody waits for these pictures."""


def render(run: Run, asset_id: str, round: int | None = None, look: str = "", alloy: str = "") -> None:
    """Make studio pictures of a measured CAD file: the first set, or with a look and an alloy a few more."""
    sitting = Sitting(asset_id, round, run.job_id)
    with run.phase(1) as session:
        work = renders.begin_render(session, sitting)
    if work is None:
        return
    with tempfile.TemporaryDirectory(prefix="render-") as scratch:
        path = fetch(run.services.storage, work, Path(scratch))
        album = _Album(run, sitting, Path(scratch), f".{look}.{finish_of(alloy)}" if look and alloy else "")
        try:
            _photograph(album, work, path, look, alloy)
        except Unreadable:
            with run.phase() as session:
                renders.fail_render(session, sitting)
            return
        except _Gone:
            return
    with run.phase(99) as session:
        renders.finish_render(session, run.actor, sitting, pictures=album.count)


def render_failed(
    session: Session, run: Run, why: str, asset_id: str, round: int | None = None, look: str = "", alloy: str = ""
) -> None:
    """Every attempt at pictures failed; measurements stay."""
    del why, look, alloy
    renders.fail_render(session, Sitting(asset_id, round, run.job_id))


class _Album:
    """Stores pictures as they land and notes the progress; `suffix` tells views of other looks apart."""

    def __init__(self, run: Run, sitting: Sitting, scratch: Path, suffix: str) -> None:
        self._run, self._sitting, self._scratch, self._suffix = run, sitting, scratch, suffix
        self._shown = 0
        self.count = 0

    def progress(self, percent: int) -> None:
        """Note the progress, in steps."""
        if percent >= self._shown + _STEP:
            self._shown = percent
            with self._run.phase(min(95, percent)) as session:
                renders.note_render(session, self._sitting, min(95, percent))

    def landed(self, view: str, path: Path, draft: bool) -> None:
        """Store a finished file and show it. Raises _Gone."""
        storage = self._run.services.storage
        folder = storage.new_key("derived") + "/"
        with self._run.phase() as session:
            processing.expect(session, folder)
        name = view + self._suffix
        if view == "turntable":
            made = [self._animation(path, folder, name)]
        else:
            out = self._scratch / path.stem
            out.mkdir()
            made = web_sizes(
                storage, path, out, folder, filename=path.name, declared=_WEBP, view=name, role=f"render_{name}"
            )[1]
        with self._run.phase() as session:
            if not renders.land_picture(session, self._sitting, folder=folder, view=name, made=made):
                raise _Gone
        self.count += not draft

    def _animation(self, path: Path, folder: str, name: str) -> Made:
        """An animation as the child wrote it; it has no width, so that it is nobody's cover."""
        data = path.read_bytes()
        if data[:4] != b"RIFF" or data[8:12] != b"WEBP":
            raise Unreadable("reader_stopped", detail="invalid answer")
        key = f"{folder}{path.name}"
        self._run.services.storage.put_file(key, path, _WEBP, hashlib.sha256(data).hexdigest())
        return Made(name, name, key, _WEBP, len(data))


def _photograph(album: _Album, work: Work, path: Path, look: str, alloy: str) -> None:
    shots = path.parent / "shots"
    shots.mkdir()
    more = bool(look and alloy)
    render_cad(
        path,
        filename=work.filename,
        out_dir=shots,
        alloy=alloy if more else alloy_of(work.metals),
        look=look if more else DEFAULT_LOOK,
        size=RENDER_PIXELS,
        views=MORE if more else FIRST_SET,
        draft_first=True,
        unit=work.unit,
        choices=work.choices,
        progress=album.progress,
        landed=album.landed,
    )


def alloy_of(metals: tuple[str, ...]) -> str:
    """The alloy that pictures show: the design's first metal, as a code or as words."""
    for metal in metals:
        if metal in ALLOYS:
            return metal
        for hint, alloy in _HINTS:
            if hint in metal.casefold():
                return alloy
    return DEFAULT_ALLOY
