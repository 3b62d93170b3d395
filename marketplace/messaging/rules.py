"""Rules of messages: bounds, and the life of a translation."""

from marketplace.kernel.states import Machine, step

MAX_TEXT = 4000
#: Beyond this a text is refused before it is even looked at.
MAX_RAW = 20_000
#: Combining marks in a row that are kept; Vietnamese and Hebrew need up to three, phonetic writing a few more.
MAX_MARKS = 8

#: `figures_unchecked`: the numbers of the translation could not be matched with those of the original.
TRANSLATION = Machine(
    "message_translation",
    "pending",
    [
        step("pending", "translated", "system", "ready"),
        step("pending", "translated_unchecked", "system", "figures_unchecked"),
        step("pending", "give_up", "system", "failed"),
        step("failed", "ask_again", ("sender", "reader"), "pending"),
    ],
)

#: States in which there is a text to read.
READABLE = frozenset({"ready", "figures_unchecked"})
