"""The values of a statement's PDF (`documents/statement.typ`), in English and, when a side reads it, in Chinese."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from flask_babel import force_locale
from flask_babel import gettext as _
from sqlalchemy import select
from sqlalchemy.orm import Session

from marketplace.accounts.models import Membership, Organization, User
from marketplace.licensing.models import License
from marketplace.licensing.vocabulary import CHANNELS, country_names
from marketplace.royalties.models import Statement, StatementLine
from marketplace.royalties.queries import lines_of
from marketplace.royalties.rules import Scheme, scheme
from marketplace.royalties.words import FLAGS, figures, line_word, rate_words, span
from marketplace.web.i18n import Formats

TEMPLATE = "statement"
_FMT = Formats()


@dataclass(frozen=True, slots=True)
class Draft:
    """What a document is made from. `second` is a Chinese locale when somebody of either side reads it, else None."""

    statement: Statement
    lines: Sequence[StatementLine]
    designer: Organization
    buyer: Organization
    terms: Scheme
    second: str | None
    brand: str


def gather(session: Session, statement: Statement, brand: str) -> Draft:
    """Everything the document needs, read in one transaction."""
    held = session.get_one(License, statement.license_id)
    sides = [statement.designer_org_id, statement.buyer_org_id]
    locales = session.scalars(
        select(User.locale).join(Membership, Membership.user_id == User.id).where(Membership.org_id.in_(sides))
    )
    return Draft(
        statement=statement,
        lines=lines_of(session, statement.id),
        designer=session.get_one(Organization, statement.designer_org_id),
        buyer=session.get_one(Organization, statement.buyer_org_id),
        terms=scheme(held.terms),
        second=next((locale for locale in sorted(set(locales)) if locale.startswith("zh")), None),
        brand=brand,
    )


def values(draft: Draft) -> dict[str, Any]:
    """The input of the template; call it inside an application context."""
    statement = draft.statement
    issued, due = statement.issued_at, statement.due_on
    if issued is None:
        raise ValueError("a draft has no document")
    both = _Both(draft.second)
    return {
        "brand": draft.brand,
        "number": statement.number,
        "second": draft.second.replace("_", "-")[:2] if draft.second else None,
        "title": both.pair(lambda: _("Royalty statement")),
        "span": both.pair(lambda: span(statement)),
        "issued": f"{issued:%Y-%m-%d}",
        "due": None if due is None else due.isoformat(),
        "design": {"title": statement.design_title, "license": statement.license_id},
        "rate": both.pair(lambda: rate_words(draft.terms, statement.currency)),
        "parties": [
            _party(draft.designer, both.pair(lambda: _("Designer"))),
            _party(draft.buyer, both.pair(lambda: _("Buyer"))),
        ],
        "figures": both.rows(
            lambda: [
                {"label": row.label, "note": row.note, "amount": _FMT.money(row.amount)}
                for row in figures(statement, draft.lines)
            ]
        ),
        "total": _plain(statement, statement.amount_due),
        "lines": [_line(statement, line, both) for line in draft.lines],
        "words": {name: both.pair(word) for name, word in _WORDS.items()},
    }


class _Both:
    """Says things in English and, when there is one, in the second language."""

    def __init__(self, second: str | None) -> None:
        self._second = second

    def pair(self, say: Callable[[], str]) -> dict[str, str | None]:
        with force_locale("en"):
            first = str(say())
        if self._second is None:
            return {"first": first, "second": None}
        with force_locale(self._second):
            return {"first": first, "second": str(say())}

    def rows(self, make: Callable[[], list[dict[str, str]]]) -> list[dict[str, Any]]:
        """Rows with labels and notes as pairs; amounts are written once, in English."""
        with force_locale("en"):
            first = make()
        second: list[dict[str, str]] | list[None] = [None] * len(first)
        if self._second is not None:
            with force_locale(self._second):
                second = make()
        return [
            {
                "label": {"first": one["label"], "second": two and two["label"]},
                "note": {"first": one["note"], "second": two and two["note"]},
                "amount": one["amount"],
            }
            for one, two in zip(first, second, strict=True)
        ]


def _party(org: Organization, role: dict[str, str | None]) -> dict[str, Any]:
    country = country_names("en").get(org.country, org.country)
    return {"role": role, "name": org.name, "address": org.address, "country": country}


def _flag(name: str) -> str:
    return str(FLAGS.get(name, name))


def _plain(statement: Statement, amount: int) -> str:
    with force_locale("en"):
        return _FMT.money(statement.money(amount))


def _line(statement: Statement, line: StatementLine, both: _Both) -> dict[str, Any]:
    marks = [both.pair(partial(_flag, flag)) for flag in line.flags]
    where = both.pair(lambda: str(CHANNELS.get(line.channel or "", line.channel or "")))
    return {
        "what": both.pair(lambda: line_word(line)),
        "day": line.day.isoformat(),
        "pieces": str(line.quantity),
        "serials": line.serials or "",
        "territory": line.territory or "",
        "channel": where,
        "base": _plain(statement, line.base),
        "royalty": _plain(statement, line.royalty),
        "paid": _plain(statement, line.paid) if line.paid else "",
        "flags": marks,
    }


_WORDS: dict[str, Callable[[], str]] = {
    "for": lambda: _("For"),
    "license": lambda: _("License"),
    "royalty": lambda: _("Royalty"),
    "issued": lambda: _("Issued"),
    "due": lambda: _("Payable by"),
    "amount_due": lambda: _("Amount due"),
    "nothing": lambda: _("Nothing is due."),
    "lines": lambda: _("Lines"),
    "what": lambda: _("What"),
    "day": lambda: _("Day"),
    "pieces": lambda: _("Pieces"),
    "serials": lambda: _("Serials"),
    "where": lambda: _("Where"),
    "base": lambda: _("Base"),
    "paid": lambda: _("Paid with the order"),
    "no_lines": lambda: _("No pieces were ordered and no sales were reported in this time."),
    "rounding": lambda: _(
        "Each line is rounded once to the smallest unit of the currency; all sums are sums of rounded lines. Days are"
        " UTC days. Net sales are gross sales less trade discounts, returns, and the taxes and shipping they hold."
    ),
}
