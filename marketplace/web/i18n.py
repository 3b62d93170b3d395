"""Languages: which one a reader gets, and numbers, money, dates and measures in it."""

import datetime as dt
import zoneinfo
from decimal import Decimal
from functools import lru_cache
from typing import Any

import flask_babel
from babel import Locale, dates, numbers
from flask import Flask, g, has_request_context, request
from flask_babel import Babel

from marketplace.kernel import clock
from marketplace.kernel.money import Money, exponent
from marketplace.web.call import current_actor

#: Locale code -> its own name. The order is that of the language menu.
LANGUAGES = {"en": "English", "zh_Hans": "简体中文", "zh_Hant": "繁體中文"}
COOKIE = "touchstone_language"
_HTML = {"en": "en", "zh_Hans": "zh-Hans", "zh_Hant": "zh-Hant"}


def install(app: Flask) -> None:
    """Attach Babel with the catalogs in `translations/`."""
    Babel(
        app,
        default_locale="en",
        default_timezone="UTC",
        default_translation_directories=str(app.config["TRANSLATIONS"]),
        locale_selector=select_locale,
    )
    # The same as flask_babel's own, less its repeated search for the context, a hundred times a page.
    app.jinja_env.install_gettext_callables(  # type: ignore[attr-defined]
        gettext=lambda message: _translations().ugettext(message),
        ngettext=lambda one, many, n: _translations().ungettext(one, many, n),
        newstyle=True,
        pgettext=lambda context, message: _translations().upgettext(context, message),
        npgettext=lambda context, one, many, n: _translations().unpgettext(context, one, many, n),
    )


def _translations() -> Any:
    """The catalog of the current locale, which `force_locale` may change in the middle of a request."""
    locale = flask_babel.get_locale()
    if locale is None:  # outside of an application
        return flask_babel.get_translations()
    if (held := g.get("translations")) is None or held[0] is not locale:
        held = g.translations = (locale, flask_babel.get_translations())
    return held[1]


def select_locale() -> str:
    """The person's choice, else the cookie's, else the browser's best match, else English."""
    if not has_request_context():
        return "en"
    chosen = request.cookies.get(COOKIE) or (current_actor().locale if current_actor().signed_in else None)
    if chosen in LANGUAGES:
        return chosen
    for wanted, _quality in request.accept_languages:
        if found := closest(wanted):
            return found
    return "en"


def closest(tag: str) -> str | None:
    """The locale we have for a BCP 47 tag (`zh-HK` -> `zh_Hant`), or None."""
    parts = tag.replace("_", "-").lower().split("-")
    if parts[0] == "zh":
        return "zh_Hant" if {"hant", "tw", "hk", "mo"} & set(parts) else "zh_Hans"
    return "en" if parts[0] == "en" else None


def locale_code() -> str:
    """The locale of the current request, such as `zh_Hans`."""
    return str(flask_babel.get_locale() or "en")


def html_lang() -> str:
    """The same as a BCP 47 tag for `<html lang>`."""
    return _HTML.get(locale_code(), "en")


class Formats:
    """`fmt` in templates: values in the reader's language."""

    def money(self, value: Money | None) -> str:
        """An amount with its currency, exact to the minor unit; a dash for None."""
        if value is None:
            return "–"
        return _money(value.amount, value.currency, locale_code())

    def plain_amount(self, value: Money | None) -> str:
        """An amount as a person types it into a field ("1250.00")."""
        if value is None:
            return ""
        return f"{Decimal(value.amount).scaleb(-exponent(value.currency)):f}"

    def number(self, value: float | Decimal | None, digits: int | None = None) -> str:
        """A number with grouping, at most `digits` decimals."""
        if value is None:
            return "–"
        return _number(value, digits, locale_code())

    def percent(self, basis_points: int) -> str:
        """Basis points as a percentage ("7.5 %")."""
        return numbers.format_percent(Decimal(basis_points) / 10_000, locale=locale_code(), decimal_quantization=False)

    def mm(self, value: float | None, digits: int = 2) -> str:
        """A length in millimeters."""
        return f"{self.number(value, digits)}\u00a0mm" if value is not None else "–"

    def g(self, value: float | None, digits: int = 2) -> str:
        """A mass in grams."""
        return f"{self.number(value, digits)}\u00a0g" if value is not None else "–"

    def ct(self, value: float | None, digits: int = 2) -> str:
        """A stone's weight in carats."""
        return f"{self.number(value, digits)}\u00a0ct" if value is not None else "–"

    def country(self, code: str) -> str:
        """The name of a country by its two letters; what is not one stays as it is."""
        return str(Locale.parse(locale_code()).territories.get(code, code))

    def size(self, value: int) -> str:
        """Bytes in the largest fitting unit."""
        for unit, scale in (("GB", 10**9), ("MB", 10**6), ("kB", 10**3)):
            if value >= scale:
                return f"{self.number(value / scale, 1)}\u00a0{unit}"
        return f"{self.number(value)}\u00a0B"

    def date(self, value: dt.date) -> str:
        """A day."""
        return flask_babel.format_date(value, "medium")

    def datetime(self, value: dt.datetime) -> str:
        """A minute, in UTC (the page's script adds the reader's own time)."""
        return _datetime(value.astimezone(dt.UTC), locale_code())

    def datetime_in(self, value: dt.datetime, zone: str | None) -> str:
        """A minute in a time zone (an IANA name), with its distance from UTC; in UTC where none is known."""
        if zone is None or (place := _zone(zone)) is None:
            return self.datetime(value)
        return _datetime_there(value.astimezone(place), locale_code())

    def relative(self, value: dt.datetime) -> str:
        """How long ago, or until."""
        return flask_babel.format_timedelta(value - clock.now(), add_direction=True)


# Babel takes its time for numbers and dates, and a page of cards has a hundred of them, many the same again.


@lru_cache(maxsize=8192)
def _money(amount: int, currency: str, locale: str) -> str:
    return numbers.format_currency(Decimal(amount).scaleb(-exponent(currency)), currency, locale=locale)


@lru_cache(maxsize=8192, typed=True)
def _number(value: float | Decimal, digits: int | None, locale: str) -> str:
    pattern = None if digits is None else "#,##0" + ("." + "0" * digits if digits else "")
    return numbers.format_decimal(value, format=pattern, locale=locale)


@lru_cache(maxsize=1024)
def _zone(name: str) -> zoneinfo.ZoneInfo | None:
    try:
        return zoneinfo.ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        return None


def _datetime_there(value: dt.datetime, locale: str) -> str:
    offset = value.utcoffset() or dt.timedelta()
    minutes = int(offset.total_seconds()) // 60
    sign, minutes = ("+" if minutes >= 0 else "\u2212"), abs(minutes)
    distance = f"{sign}{minutes // 60}" + (f":{minutes % 60:02}" if minutes % 60 else "")
    # The same wall clock read as UTC, so that one cached function formats all.
    said = _datetime(value.replace(tzinfo=dt.UTC), locale).removesuffix(" UTC")
    return f"{said} (UTC{distance})"


@lru_cache(maxsize=4096)
def _datetime(value: dt.datetime, locale: str) -> str:
    day = dates.format_date(value, "medium", locale=locale)
    minute = dates.format_time(value, "short", tzinfo=dt.UTC, locale=locale)
    pattern = str(dates.get_datetime_format("medium", locale))
    return pattern.replace("{0}", minute).replace("{1}", day) + " UTC"
