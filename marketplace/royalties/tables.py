"""Files of rows: a sales report read from CSV, a statement written as CSV that no spreadsheet runs.

A report file is read like a form: it is text, bounded, decoded as UTF-8 and split by the standard library; nothing in
it is evaluated.
"""

import csv
import io
from collections.abc import Iterable, Sequence

from marketplace.kernel.errors import Invalid
from marketplace.royalties.sales import COLUMNS, MAX_ROWS, N_

#: A thousand rows of the widest kind are well below this.
MAX_BYTES = 512 * 1024
#: What a spreadsheet takes for the beginning of a formula (OWASP, CSV injection).
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\uff1d", "\uff0b", "\uff0d", "\uff20")


def read_rows(data: bytes) -> list[dict[str, str]]:
    """The rows of a report file by column name. Raises Invalid with what to do for a file that is not one."""
    if len(data) > MAX_BYTES:
        raise _bad(N_("The file is too large; a report has at most 1,000 rows."))
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise _bad(N_("Save the file as CSV in UTF-8 and try again.")) from error
    if "\x00" in text:
        raise _bad(N_("Save the file as CSV in UTF-8 and try again."))
    try:
        lines = [line for line in csv.reader(io.StringIO(text, newline=""), _dialect(text), strict=True) if any(line)]
    except csv.Error as error:
        raise _bad(N_("The file is not a table; start from the template.")) from error
    if not lines:
        raise _bad(N_("The file is empty; start from the template."))
    head = [name.strip().lower() for name in lines[0]]
    if not {"quantity", "territory", "channel", "gross"} <= set(head) or len(set(head)) != len(head):
        raise _bad(N_("The first row must name the columns as the template does."))
    if len(lines) - 1 > MAX_ROWS:
        raise _bad(N_("The file is too large; a report has at most 1,000 rows."))
    return [
        {name: _opened(value)[:400] for name, value in zip(head, line, strict=False) if name in COLUMNS}
        for line in lines[1:]
    ]


def template() -> str:
    """An empty report file with an example row."""
    return write_rows([COLUMNS, ("1-20", "20", "GB", "retail", "9800.00", "400.00", "0.00", "1566.67", "")])


def write_rows(rows: Iterable[Sequence[str | int]]) -> str:
    """CSV (UTF-8 with a byte order mark, so that spreadsheets read it). Texts cannot start a formula; numbers stay."""
    out = io.StringIO(newline="")
    writer = csv.writer(out)
    for row in rows:
        writer.writerow([_closed(cell) if isinstance(cell, str) else cell for cell in row])
    return "\ufeff" + out.getvalue()


def _closed(text: str) -> str:
    """A text that a spreadsheet shows and does not run: an amount as it is, anything else behind an apostrophe."""
    return "'" + text if text.startswith(_FORMULA) and not _number(text) else text


def _opened(text: str) -> str:
    """The reverse of `_closed` for a file of ours that comes back."""
    stripped = text.strip()
    return stripped[1:] if stripped.startswith("'") and stripped[1:].startswith(_FORMULA) else stripped


def _number(text: str) -> bool:
    whole, _point, fraction = text.removeprefix("-").partition(".")
    return whole.isascii() and whole.isdigit() and (not fraction or (fraction.isascii() and fraction.isdigit()))


def _dialect(text: str) -> type[csv.Dialect]:
    """Commas, or what a spreadsheet writes where the comma is the decimal sign: semicolons or tabs."""
    first = text.partition("\n")[0]
    delimiter = max(",;\t", key=first.count)

    class Found(csv.excel):
        pass

    Found.delimiter = delimiter
    return Found


def _bad(message: str) -> Invalid:
    return Invalid("bad_file", message, fields={"file": message})
