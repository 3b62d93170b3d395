"""What a model call costs, from a dated price table. A model that is not in it has no known cost."""

from dataclasses import dataclass
from datetime import date

# Stand-ins put this before the model's name; their calls are free.
SANDBOX_PREFIX = "sandbox-"


@dataclass(frozen=True)
class Price:
    """US dollars per million tokens from `since` on; thinking counts as output."""

    since: date
    input: float
    output: float


# https://ai.google.dev/gemini-api/docs/pricing as read 2026-10-07 (paid tier, text and images in, prompts up to 200k
# tokens).
PRICES: dict[str, tuple[Price, ...]] = {
    "gemini-3.8-flash": (Price(date(2026, 9, 2), 0.75, 3.75), Price(date(2027, 1, 1), 1.50, 7.50)),
    "gemini-3.5-flash": (Price(date(2026, 5, 19), 1.50, 9.00),),
    "gemini-3.5-flash-lite": (Price(date(2026, 10, 7), 0.30, 2.50),),
}


def cost_micros(model: str, model_version: str, prompt_tokens: int, output_tokens: int, on: date) -> int | None:
    """Cost in millionths of a US dollar on a day, rounded up. None for a model without a known price."""
    if model_version.startswith(SANDBOX_PREFIX):
        return 0
    current = [price for price in PRICES.get(model, ()) if price.since <= on]
    if not current:
        return None
    price = max(current, key=lambda candidate: candidate.since)
    # Dollars per million tokens are millionths of a dollar per token.
    return -int(-(prompt_tokens * price.input + output_tokens * price.output) // 1)
