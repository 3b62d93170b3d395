"""Weight by alloy: as modeled, how far published densities scatter, and what is left after finishing."""

from collections.abc import Sequence
from dataclasses import dataclass

from marketplace.designs.models import Fact
from marketplace.designs.vocabulary import metal_word
from marketplace.gateways.content import ALLOY_LABELS

#: Share of the cast weight that filing and polishing take (docs/glossary.md: 5 to 12 %, a default of the trade).
FINISHING = (0.05, 0.12)


@dataclass(frozen=True, slots=True)
class Weight:
    """Grams of the piece in one alloy; `band` is plus or minus, `finished` the least and most after finishing."""

    code: str
    word: str
    grams: float
    band: float | None
    finished: tuple[float, float]
    share: int


def weights(facts: Sequence[Fact]) -> list[Weight]:
    """One row an alloy in the order of the table of alloys; `share` is percent of the heaviest."""
    known = {f.name.removeprefix("weight_"): f for f in facts if f.name.startswith("weight_")}
    values = {code: float(f.value) for code, f in known.items() if isinstance(f.value, int | float)}
    heaviest = max(values.values(), default=0.0)
    order = {code: place for place, code in enumerate(ALLOY_LABELS)}
    return [
        Weight(
            code=code,
            word=metal_word(code),
            grams=grams,
            band=known[code].tolerance,
            finished=_finished(known[code], grams),
            share=round(100 * grams / heaviest) if heaviest else 0,
        )
        for code, grams in sorted(values.items(), key=lambda item: (order.get(item[0], 99), item[0]))
    ]


def _finished(fact: Fact, grams: float) -> tuple[float, float]:
    """The measured band, by the loss that the house works with; the default of the trade for a stated weight."""
    measured = fact.measured or {}
    low, high = measured.get("low"), measured.get("high")
    if fact.source == "measured" and low is not None and high is not None:
        return float(low), float(high)
    return grams * (1 - FINISHING[1]), grams * (1 - FINISHING[0])
