"""State machines as tables: (state, action, who) -> state. Only `Machine.advance` writes a state."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any, Protocol

from marketplace.kernel.errors import Conflict, Forbidden


class Stateful(Protocol):
    """Anything with a state column."""

    state: str


@dataclass(frozen=True, slots=True)
class Step:
    """One arrow. `who` are relations or `system`; `guard` returns a refusal code, or None to allow."""

    source: str
    action: str
    who: frozenset[str]
    target: str
    guard: Callable[[Any], str | None] | None = field(default=None, compare=False)


def step(
    source: str,
    action: str,
    who: Iterable[str] | str,
    target: str,
    guard: Callable[[Any], str | None] | None = None,
) -> Step:
    """Shorthand for one arrow of a machine; `who` is one name or several."""
    names = frozenset([who] if isinstance(who, str) else who)
    return Step(source, action, names, target, guard)


class Machine:
    """A named table of steps. Every (state, action, who) that is not listed is a refusal."""

    def __init__(self, name: str, initial: str, steps: Iterable[Step]) -> None:
        self.name = name
        self.initial = initial
        self.steps = tuple(steps)
        self._by_key = {(s.source, s.action): s for s in self.steps}
        if len(self._by_key) != len(self.steps):
            raise ValueError(f"{name}: two steps for the same state and action")

    @property
    def states(self) -> frozenset[str]:
        """Every state named in the table."""
        return frozenset({self.initial, *(s.source for s in self.steps), *(s.target for s in self.steps)})

    @property
    def actions(self) -> frozenset[str]:
        """Every action named in the table."""
        return frozenset(s.action for s in self.steps)

    @property
    def people(self) -> frozenset[str]:
        """Every relation named in the table."""
        return frozenset(w for s in self.steps for w in s.who)

    def can(self, state: str, action: str, who: Iterable[str]) -> bool:
        """Whether the table holds this arrow for one of `who` (guards are not asked)."""
        found = self._by_key.get((state, action))
        return found is not None and not found.who.isdisjoint(who)

    def target(self, state: str, action: str, who: Iterable[str], subject: Any = None) -> str:
        """The state after `action`.

        Raises Conflict `illegal_transition` when the state does not allow the action, Forbidden
        `not_your_turn` when it is somebody else's, Conflict with the guard's code when that refuses.
        """
        found = self._by_key.get((state, action))
        if found is None:
            raise Conflict(
                "illegal_transition",
                "This cannot be done now: the state has changed to %(state)s.",
                params={"state": state.replace("_", " ")},
                extra={"state": state, "action": action},
            )
        if found.who.isdisjoint(who):
            raise Forbidden("not_your_turn", "This step belongs to the other side.", extra={"state": state})
        if found.guard is not None and (refusal := found.guard(subject)):
            raise Conflict(
                refusal,
                "This cannot be done yet: %(reason)s.",
                params={"reason": refusal.replace("_", " ")},
                extra={"state": state},
            )
        return found.target

    def advance(self, subject: Stateful, action: str, who: Iterable[str]) -> str:
        """Move `subject` along one arrow and return the state it left. Raises as `target`."""
        before = subject.state
        subject.state = self.target(before, action, who, subject)
        return before
