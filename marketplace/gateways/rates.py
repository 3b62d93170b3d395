"""The euro foreign exchange reference rates of the European Central Bank; the one reader of that file.

Published on working days at about 16:00 Frankfurt time, for information only.
"""

import datetime as dt
import xml.etree.ElementTree as ET
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation

import httpx2

from marketplace.kernel.errors import Unavailable

_TIMEOUT_S = 10.0
_MAX_BYTES = 200_000
_CUBE = "{http://www.ecb.int/vocabulary/2002-08-01/eurofxref}Cube"


class RatesUnavailable(Unavailable):
    """The rates cannot be had now, or the file is not what it should be."""


@dataclass(frozen=True, slots=True)
class Sheet:
    """A day's rates: units of each currency for one euro."""

    as_of: dt.date
    per_euro: dict[str, Decimal]


def fetch(url: str) -> Sheet:
    """The latest sheet at `url`. Raises RatesUnavailable."""
    try:
        answer = httpx2.get(url, timeout=_TIMEOUT_S, follow_redirects=False)
    except httpx2.HTTPError as error:
        raise RatesUnavailable("rates_unavailable", "The exchange rates cannot be had right now.") from error
    if answer.status_code != 200:
        raise RatesUnavailable("rates_unavailable", "The exchange rates cannot be had right now.")
    return read(answer.content)


def read(content: bytes) -> Sheet:
    """A sheet from the file's bytes. Raises RatesUnavailable for anything that is not one."""
    # A document type could declare entities that grow without bound; this file has none.
    if len(content) > _MAX_BYTES or b"<!" in content.replace(b"<!--", b""):
        raise RatesUnavailable("rates_unreadable", "The file of exchange rates is not what it should be.")
    try:
        root = ET.fromstring(content)  # noqa: S314 - no document type can be in it
        day = next(cube for cube in root.iter(_CUBE) if cube.get("time"))
        cubes = [cube for cube in day.iter(_CUBE) if cube.get("rate")]
        rates = {str(cube.get("currency")): Decimal(str(cube.get("rate"))) for cube in cubes}
        sheet = Sheet(dt.date.fromisoformat(str(day.get("time"))), rates)
    except (ET.ParseError, StopIteration, InvalidOperation, ValueError) as error:
        raise RatesUnavailable("rates_unreadable", "The file of exchange rates is not what it should be.") from error
    if not rates or not all(rate.is_finite() and rate > 0 for rate in rates.values()):
        raise RatesUnavailable("rates_unreadable", "The file of exchange rates is not what it should be.")
    return sheet
