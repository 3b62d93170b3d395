"""Reported sales: from what was typed to checked lines. Pure.

Two kinds of trouble are kept apart. A row that cannot be read is refused with a message for each field. A row that can
be read but does not fit (a country the license does not name, more pieces than were made) is taken and flagged for
both sides: the royalty is owed all the same, and leaving the sale out would only hide it.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from marketplace.kernel.errors import Invalid
from marketplace.kernel.money import parse_amount
from marketplace.licensing.vocabulary import CHANNELS, COUNTRIES
from marketplace.royalties.reckoning import net_sales


def N_(text: str) -> str:  # noqa: N802 - gettext's own name for "collect this string, translate it later"
    """The same text; marks it for the translations."""
    return text


#: The columns of a row, as forms and files name them.
COLUMNS = ("serials", "quantity", "territory", "channel", "gross", "discounts", "returns", "taxes", "note")
#: Rows of one report. Whoever has more adds them up by country and channel, or by range of serials.
MAX_ROWS = 1000
MAX_QUANTITY = 1_000_000
MAX_NOTE = 300

#: A row as it was typed: column -> text.
Typed = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Sale:
    """A row that could be read; amounts in minor units of the license's currency, zero or more."""

    quantity: int
    territory: str
    channel: str
    gross: int
    discounts: int = 0
    returns: int = 0
    taxes: int = 0
    serial_from: int | None = None
    serial_to: int | None = None
    note: str | None = None

    @property
    def net(self) -> int:
        """What the royalty is taken of; negative when more came back than was sold."""
        return net_sales(self.gross, self.discounts, self.returns, self.taxes)


@dataclass(frozen=True, slots=True)
class Scope:
    """What the license allows and what is known of its pieces. Empty sets mean everything; ranges are inclusive.

    `made` is the number of pieces, `numbered` their serials (empty: pieces without serials), `sold` and `sold_serials`
    what earlier reports said.
    """

    territories: frozenset[str] = frozenset()
    channels: frozenset[str] = frozenset()
    max_units: int | None = None
    made: int = 0
    numbered: tuple[tuple[int, int], ...] = ()
    sold: int = 0
    sold_serials: tuple[tuple[int, int], ...] = field(default=())


def blank(row: Typed) -> bool:
    """Whether nothing was typed in a row; what a select field sends by itself does not count."""
    return not any(row.get(name, "").strip() for name in COLUMNS if name not in {"territory", "channel"})


def read(rows: Sequence[Typed], currency: str) -> tuple[list[Sale], dict[int, dict[str, str]]]:
    """(the sales, what is wrong by row number from 0 and column). Blank rows are left out; messages are in English."""
    found: list[Sale] = []
    wrong: dict[int, dict[str, str]] = {}
    for index, row in enumerate(rows):
        if blank(row):
            continue
        problems: dict[str, str] = {}
        sale = _sale(row, currency, problems)
        if sale is None:
            wrong[index] = problems
        else:
            found.append(sale)
    return found, wrong


def _sale(row: Typed, currency: str, wrong: dict[str, str]) -> Sale | None:
    first, last = _serials(row.get("serials", ""), wrong)
    quantity = _quantity(row.get("quantity", ""), first, last, wrong)
    territory = row.get("territory", "").strip().upper()
    if territory not in COUNTRIES:
        wrong["territory"] = N_("Name the country by its two-letter code, for example GB.")
    channel = row.get("channel", "").strip().lower()
    if channel not in CHANNELS:
        wrong["channel"] = N_("Choose one of: retail, online, wholesale, bridal.")
    amounts: dict[str, int] = {}
    for name in ("gross", "discounts", "returns", "taxes"):
        typed = row.get(name, "").strip()
        if not typed and name != "gross":
            amounts[name] = 0
            continue
        try:
            amounts[name] = parse_amount(typed, currency)
        except Invalid as error:
            wrong[name] = error.message
    note = row.get("note", "").strip()
    if len(note) > MAX_NOTE:
        wrong["note"] = N_("The note is too long; use at most 300 characters.")
    if wrong or quantity is None:
        return None
    return Sale(quantity, territory, channel, **amounts, serial_from=first, serial_to=last, note=note or None)


def _serials(text: str, wrong: dict[str, str]) -> tuple[int | None, int | None]:
    """A serial or a range of them ("12", "12-40"; an en dash will do)."""
    if not text.strip():
        return None, None
    first, dash, last = text.replace("\u2013", "-").replace(" ", "").partition("-")
    ends = [first, last] if dash else [first, first]
    if not all(end.isascii() and end.isdigit() and len(end) <= 9 for end in ends):
        wrong["serials"] = N_("Write one serial or a range, for example 12 or 12-40.")
        return None, None
    begin, end = int(ends[0]), int(ends[1])
    if not 1 <= begin <= end:
        wrong["serials"] = N_("Write one serial or a range, for example 12 or 12-40.")
        return None, None
    return begin, end


def _quantity(text: str, first: int | None, last: int | None, wrong: dict[str, str]) -> int | None:
    typed = text.strip()
    counted = None if first is None or last is None else last - first + 1
    if not typed and counted is not None:
        return counted
    if not (typed.isascii() and typed.isdigit()) or len(typed) > 7 or int(typed) > MAX_QUANTITY:
        wrong["quantity"] = N_("Write a whole number of pieces.")
        return None
    if counted is not None and int(typed) != counted:
        wrong["quantity"] = N_("The range of serials holds another number of pieces.")
        return None
    return int(typed)


def flags(sales: Sequence[Sale], scope: Scope) -> list[list[str]]:
    """For each sale what does not fit the license or the pieces that were made, see the module's rule.

    territory, channel: not licensed. over_limit: past the license's number of pieces. more_than_made: past the number
    of pieces made. serial_unknown: no piece has it. serial_twice: reported before.
    """
    found = []
    total, taken = scope.sold, list(scope.sold_serials)
    for sale in sales:
        marks = []
        if scope.territories and sale.territory not in scope.territories:
            marks.append("territory")
        if scope.channels and sale.channel not in scope.channels:
            marks.append("channel")
        total += sale.quantity
        if scope.max_units is not None and sale.quantity and total > scope.max_units:
            marks.append("over_limit")
        if sale.quantity and total > scope.made:
            marks.append("more_than_made")
        if sale.serial_from is not None and sale.serial_to is not None:
            wanted = (sale.serial_from, sale.serial_to)
            if scope.numbered and not _covered(wanted, scope.numbered):
                marks.append("serial_unknown")
            if any(wanted[0] <= end and begin <= wanted[1] for begin, end in taken):
                marks.append("serial_twice")
            taken.append(wanted)
        found.append(marks)
    return found


def _covered(wanted: tuple[int, int], ranges: Iterable[tuple[int, int]]) -> bool:
    """Whether every serial of `wanted` is in one of the ranges."""
    at = wanted[0]
    for begin, end in sorted(ranges):
        if begin <= at <= end:
            at = end + 1
        if at > wanted[1]:
            return True
    return at > wanted[1]


def typed(sale: Sale, write: Mapping[str, str]) -> dict[str, str]:
    """A sale as a row of text again; `write` are its amounts as a person types them."""
    serials = "" if sale.serial_from is None else f"{sale.serial_from}-{sale.serial_to}"
    return {
        "serials": serials,
        "quantity": str(sale.quantity),
        "territory": sale.territory,
        "channel": sale.channel,
        "note": sale.note or "",
        **write,
    }
