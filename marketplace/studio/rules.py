"""Rules of drafted words: states, what may be approved, what a day may cost."""

from collections.abc import Iterable, Mapping
from typing import Any

from marketplace.kernel.states import Machine, step

KINDS = ("story", "lookbook")

#: Calls and cost (millionths of a US dollar) that one organization may cause in a day.
CALLS_PER_DAY = 300
MICROS_PER_DAY = 10_000_000
#: What a call counts for until its real cost is known.
RESERVED_MICROS = 30_000

DRAFT = Machine(
    "content draft",
    "draft",
    [
        step("draft", "approve", "owner", "approved"),
        step("draft", "supersede", ("owner", "system"), "superseded"),
        step("approved", "revise", "owner", "draft"),
        step("approved", "supersede", ("owner", "system"), "superseded"),
    ],
)

#: A draft is made of every change; what everybody sees changes by `publish` alone.
PHOTO_EDIT = Machine(
    "photo edit",
    "plain",
    [
        *(
            step(state, action, ("owner", "system"), target)
            for state in ("plain", "queued", "ready", "failed", "published")
            for action, target in (("change", "queued"), ("clear", "plain"))
        ),
        step("queued", "finish", "system", "ready"),
        step("queued", "fail", "system", "failed"),
        step("ready", "publish", "owner", "published"),
        # The stack without steps needs no draft: publishing it shows the photo as it was uploaded.
        step("plain", "publish", "owner", "plain"),
    ],
)
#: Stacks that are kept to go back to.
MAX_HISTORY = 50

#: What each kind of failure means to the person who waits, by code (a job's error starts with it).
FAILURES = frozenset({"model_busy", "model_refused", "model_garbage", "model_misconfigured", "budget_exceeded"})


def blocked(findings: Iterable[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """The claims that no fact supports and that must be changed before approval."""
    return [finding for finding in findings if finding.get("blocked")]


def over_budget(calls: int, micros: int) -> bool:
    """Whether an organization that caused this much today may not cause another call."""
    return calls >= CALLS_PER_DAY or micros + RESERVED_MICROS > MICROS_PER_DAY


def plain_text(kind: str, text: Mapping[str, Any]) -> str:
    """Everything a reader would see of a draft, for the claim check."""
    if kind == "story":
        return "\n\n".join([str(text.get("headline", "")), *map(str, text.get("paragraphs", []))])
    pages = text.get("pages", [])
    parts = [str(text.get("title", ""))]
    parts += [f"{page.get('heading', '')}\n{page.get('caption', '')}" for page in pages]
    return "\n\n".join(parts)
