"""Rules of designs and files as tables and pure functions: states, limits, what blocks listing."""

import re
import unicodedata
from dataclasses import dataclass
from datetime import timedelta
from typing import Protocol

from marketplace.kernel import clock
from marketplace.kernel.errors import Invalid
from marketplace.kernel.states import Machine, step

#: How long a removed design can be listed again before its files may be purged.
KEEP_REMOVED = timedelta(days=90)
#: Bytes one organization may keep. Powers of ten, like all limits that are shown.
QUOTA = 20 * 10**9
MIN_DESCRIPTION = 40
#: How long a file that was announced is waited for; its bytes may come in several sittings.
WAIT_FOR_BYTES = timedelta(days=3)
#: Bytes of a part, but for the last one. The store takes no smaller parts than 5 MiB; a lost connection costs one.
PART_SIZE = 8 * 10**6
#: What a plain form without a script may carry through the web process in one go, in bytes.
MAX_PLAIN_FORM = 10 * 10**6
MAX_NAME = 255

_MEDIA_TYPE = re.compile(r"[a-z]+/[a-z0-9][a-z0-9.+-]{0,80}", re.ASCII)
#: Control, format (direction marks, zero width) and unassigned characters, and halves of pairs.
_UNSEEN = frozenset({"Cc", "Cf", "Cn", "Co", "Cs"})

CATEGORIES = ("ring", "earrings", "pendant", "necklace", "bracelet", "bangle", "brooch", "cufflinks", "other")

_PHOTO_ENDINGS = (".jpg", ".jpeg", ".png", ".webp", ".avif", ".heic", ".heif", ".tif", ".tiff", ".gif")
_CAD_ENDINGS = (".stl", ".obj", ".ply", ".glb", ".3mf", ".step", ".stp", ".3dm")


@dataclass(frozen=True, slots=True)
class Limit:
    """What one kind of file may be: endings of its name, and its largest size in bytes."""

    endings: tuple[str, ...]
    max_bytes: int

    @property
    def accept(self) -> str:
        """For the `accept` attribute of a file field; with `image/*` a phone offers its camera roll."""
        return ",".join((*(("image/*",) if self.pictures else ()), *self.endings))

    @property
    def plain_bytes(self) -> int:
        """What a form without a script may carry of such files in one go."""
        return min(self.max_bytes, MAX_PLAIN_FORM)

    @property
    def pictures(self) -> bool:
        """Whether files of this kind are photos."""
        return self.endings == _PHOTO_ENDINGS


LIMITS = {
    "photo": Limit(_PHOTO_ENDINGS, 60 * 10**6),
    "reference": Limit(_PHOTO_ENDINGS, 60 * 10**6),
    "evidence": Limit(_PHOTO_ENDINGS, 60 * 10**6),
    "cad": Limit(_CAD_ENDINGS, 250 * 10**6),
    "attachment": Limit((*_PHOTO_ENDINGS, ".pdf"), 25 * 10**6),
}


class Purgeable(Protocol):
    """What the guard of listing again looks at."""

    @property
    def purge_after(self) -> object: ...


def _not_purged(design: Purgeable) -> str | None:
    due = design.purge_after
    return "files_purged" if due is not None and due <= clock.now() else None  # type: ignore[operator]


DESIGN = Machine(
    "design",
    "draft",
    [
        step("draft", "list", "owner", "listed"),
        step("listed", "unlist", "owner", "removed"),
        step("removed", "list", "owner", "listed", _not_purged),
    ],
)

ASSET = Machine(
    "asset",
    "awaiting_upload",
    [
        step("awaiting_upload", "complete", "owner", "uploaded"),
        step("uploaded", "begin", "system", "processing"),
        # A worker that died leaves the file in processing; the next one begins again.
        step("processing", "begin", "system", "processing"),
        step("processing", "finish", "system", "ready"),
        step("processing", "reject", "system", "rejected"),
        step("uploaded", "reject", "system", "rejected"),
        step("rejected", "retry", "owner", "uploaded"),
        step("ready", "measure", "owner", "uploaded"),
    ],
)


def file_name(given: str) -> str:
    """What a file is called here: the last component, without control and direction characters, at most MAX_NAME.

    Raises Invalid `bad_filename` when nothing is left.
    """
    last = unicodedata.normalize("NFC", given).replace("\\", "/").rpartition("/")[2]
    seen = "".join(" " if c.isspace() else c for c in last if unicodedata.category(c) not in _UNSEEN or c.isspace())
    name = " ".join(seen.split())
    if len(name) > MAX_NAME:
        stem, dot, ending = name.rpartition(".")
        name = stem[: MAX_NAME - len(ending) - 1] + dot + ending if len(ending) < 10 else name[:MAX_NAME]
    if not name.strip(". "):
        raise Invalid("bad_filename", "The file needs a name.", fields={"/filename": "The file needs a name."})
    return name


def media_type(given: str) -> str:
    """The type a browser declared, or the one that says nothing when it is not written like one."""
    plain = given.strip().lower()
    return plain if _MEDIA_TYPE.fullmatch(plain) else "application/octet-stream"


def parts_of(size: int) -> list[tuple[int, int, int]]:
    """(number from 1, offset, length) of every part of a file of `size` bytes."""
    starts = range(0, size, PART_SIZE)
    return [(number, start, min(PART_SIZE, size - start)) for number, start in enumerate(starts, 1)]


def check_file(kind: str, filename: str, size: int) -> None:
    """Raise Invalid, with both numbers where there are two, for a file that cannot be taken."""
    limit = LIMITS[kind]
    if size <= 0:
        raise Invalid("empty_file", "The file is empty. Choose another file.", fields={"/size": "The file is empty."})
    if size > limit.max_bytes:
        raise Invalid(
            "file_too_large",
            "%(filename)s is %(size)s MB; the most is %(limit)s MB.",
            params={"filename": filename, "size": _megabytes(size), "limit": limit.max_bytes // 10**6},
        )
    if not filename.lower().endswith(limit.endings):
        raise Invalid(
            "unsupported_file",
            "%(filename)s cannot be used here. Choose a file of one of these kinds: %(endings)s.",
            params={"filename": filename, "endings": ", ".join(e[1:].upper() for e in limit.endings)},
        )


def _megabytes(size: int) -> str:
    # Never round down to the limit itself: 60.04 MB is shown as 60.1.
    tenths = -(-size // 10**5)
    return f"{tenths // 10}.{tenths % 10}"


@dataclass(frozen=True, slots=True)
class Readiness:
    """What the listing checklist looks at."""

    title: str
    category: str | None
    description: str
    has_price: bool
    approved_story: bool
    pictures: int
    ready_cad: int
    no_cad_reason: str | None
    unfinished: int
    rejected: int
    payouts: bool | None


@dataclass(frozen=True, slots=True)
class Check:
    """One line of the checklist. `blocking` lines must be done before listing; others are advice."""

    code: str
    done: bool
    blocking: bool = True


def checklist(ready: Readiness) -> list[Check]:
    """Everything that must (or should) be so before a design is listed, in the order it is shown."""
    described = len(ready.description.strip()) >= MIN_DESCRIPTION or ready.approved_story
    checks = [
        Check("title", bool(ready.title.strip())),
        Check("category", ready.category in CATEGORIES),
        Check("description", described),
        Check("picture", ready.pictures > 0),
        Check("cad", ready.ready_cad > 0 or bool((ready.no_cad_reason or "").strip())),
        Check("price", ready.has_price),
        Check("files_finished", ready.unfinished == 0),
        Check("no_rejected_file", ready.rejected == 0),
    ]
    if ready.payouts is not None:
        checks.append(Check("payouts", ready.payouts, blocking=False))
    return checks


def blocking(checks: list[Check]) -> list[Check]:
    """The lines that still forbid listing."""
    return [check for check in checks if check.blocking and not check.done]
