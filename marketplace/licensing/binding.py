"""Text that binds: what is stored is what is read."""

import re
import unicodedata

# Unicode bidi controls and other format characters can make terms read other than they are stored; so can NUL.
_HIDDEN = re.compile("[\u0000-\u0008\u000b-\u001f\u007f\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff]")


def binding_text(value: str) -> str:
    """The text in Unicode's composed form; raises ValueError when it holds characters nobody sees."""
    if _HIDDEN.search(value):
        raise ValueError("The text holds hidden control characters; type it anew.")
    return unicodedata.normalize("NFC", value)
