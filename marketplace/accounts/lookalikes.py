"""Names that look alike: one skeleton for all spellings that a reader takes for the same.

After Unicode Technical Standard 39 ("confusable detection"): decompose, drop what cannot be seen, put a prototype in
the place of each letter of another script that looks like it. The table is our own and small: letters of the Cyrillic,
Greek, Armenian, Hebrew and Cherokee scripts that a Latin font draws like a Latin letter, and a few digits and signs.
"""

import unicodedata

#: Prototype -> characters that look like it in small print. Compared after case folding, so capitals stand with small.
_ALIKE = {
    "a": "аɑαᴀ", "b": "ВвЬΒʙ", "c": "сϲᴄⅽҫ", "d": "ԁⅾɗ", "e": "еҽє℮Ε", "f": "ғϝ", "g": "ɡցԍɢ", "h": "һհнНΗ",
    "i": "іıιӏl1|!ǀⅰⅼ", "j": "јϳյ", "k": "кκᴋ", "m": "мⅿᴍΜ", "n": "ոпиηΝ", "o": "оοσօ0ᴏ", "p": "рρᴘ", "q": "ԛգ",
    "r": "гᴦʀя", "s": "ѕꜱ5$", "t": "тτᴛ", "u": "սυцᴜμ", "v": "νѵᴠⅴ", "w": "ԝѡωᴡш", "x": "хχⅹ×",
    "y": "уγүʏΥ", "z": "ᴢȥ2Ζ",
}  # fmt: skip
#: Where a small letter looks like another one than its capital (Greek nu: N but v), its own line above decides.
_PROTOTYPE = {ord(other.casefold()[0]): letter for letter, others in _ALIKE.items() for other in others} | {
    ord(other): letter for letter, others in _ALIKE.items() for other in others
}
#: Pairs of letters that one reads as another letter.
_PAIRS = (("rn", "m"), ("vv", "w"), ("ci", "d"))
#: Characters of a skeleton that are kept.
_MAX = 400


def skeleton(name: str) -> str:
    """What a name looks like: equal for names a reader may take for each other; empty for a name of signs alone.

    Letters of scripts that resemble no Latin letter (Chinese, Arabic) stand for themselves.
    """
    # A capital can look like a letter that its small form does not (В, Н), so look before folding as well as after.
    seen = unicodedata.normalize("NFKD", name).translate(_PROTOTYPE)
    folded = unicodedata.normalize("NFKD", seen.casefold()).translate(_PROTOTYPE)
    kept = "".join(c for c in folded if unicodedata.category(c)[0] in "LN")
    for pair, letter in _PAIRS:
        kept = kept.replace(pair, letter)
    return kept[:_MAX]
