"""What a person wrote in an answer, without the mail it answers and without the signature.

Our own mails begin with a line that asks to write above it, so that the cut is certain wherever that line survived.
Headers of quotations are found by mail-parser-reply in the languages it knows, and by the patterns here for those it
knows badly. Nothing a person may have meant is dropped on a guess: a closing formula counts as the beginning of a
signature only when a few short lines follow it.
"""

import re

from mailparser_reply import EmailReplyParser

#: Stands in the line above which people write; `templates/email/notification` writes it.
MARK = "##--##"
#: Characters in which the library looks for the header of a quotation; its patterns take long on long texts.
_SEARCHED = 4_500
_LANGUAGES = ["en", "zh", "fr", "it", "de", "es", "ja"]

_HEADERS = re.compile(
    r"^(?:[^\n]{0,120}\s于\s?\d{4}\s?年[^\n]{0,60}写道\s?[:：]"  # Gmail, Simplified
    r"|[^\n]{0,120}\s於\s?\d{4}\s?年[^\n]{0,60}寫道\s?[:：]"  # Gmail, Traditional
    r"|>?\s?在\s?\d{4}\s?年[^\n]{0,160}(?:写道|寫道)\s?[:：]"  # Apple Mail
    r"|-{4,}\s?(?:原始邮件|原始郵件|回复的原邮件|Original|Original Message)\s?-{4,}"  # QQ, NetEase, older Outlook
    r"|_{20,}\s*$)",  # Outlook's line
    re.MULTILINE,
)
_DEVICE = re.compile(
    r"^(?:Sent from my |Sent from Outlook|Get Outlook for |发自我的|從我的|发送自|傳送自|寄自我的)[^\n]{0,80}$", re.M
)
_CLOSING = re.compile(
    r"^(?:best regards|kind regards|warm regards|regards|best wishes|sincerely|yours sincerely|yours faithfully|cheers"
    r"|cordialement|bien cordialement|cordiali saluti|distinti saluti|mit freundlichen grüßen"
    r"|此致(?:敬礼|敬禮)?|祝好|顺祝商祺|順頌商祺|敬上)\s?[,，.。!！]?$",
    re.IGNORECASE,
)
_DASHES = re.compile(r"^--\s?$", re.MULTILINE)
_SHORT_LINE, _FEW_LINES = 60, 6


def own_words(body: str) -> str:
    """The answer in a mail's text; empty when it holds nothing of its own."""
    text = re.sub(r"\n{3,}", "\n\n", body.replace("\r\n", "\n").replace("\r", "\n").replace("\x00", ""))
    above = _above_mark(text)
    answer = _unsigned(_unquoted(above))
    # Who answers below the quotation has written nothing above the mark.
    return answer or _unsigned(
        "\n".join(line for line in text.split("\n") if not line.startswith(">") and MARK not in line)
    )


def _above_mark(text: str) -> str:
    at = text.find(MARK)
    return text if at < 0 else text[: text.rfind("\n", 0, at) + 1]


def _unquoted(text: str) -> str:
    if found := _HEADERS.search(text):
        text = text[: found.start()]
    head = text[:_SEARCHED]
    replies = EmailReplyParser(languages=list(_LANGUAGES)).read(head).replies
    if replies and len(replies) > 1:
        text = replies[0].content
    lines = text.strip().split("\n")
    return "\n".join(_without_quotes(_without_quotes(lines)[::-1])[::-1]).strip()


def _without_quotes(lines: list[str]) -> list[str]:
    """The lines from the first one on that is neither quoted nor empty."""
    first = next((n for n, line in enumerate(lines) if line.strip() and not line.startswith(">")), len(lines))
    return lines[first:]


def _unsigned(text: str) -> str:
    text = _DEVICE.sub("", text)
    if found := _DASHES.search(text):
        text = text[: found.start()]
    lines = text.strip().split("\n")
    after = 0
    for number in range(len(lines) - 1, 0, -1):
        line = lines[number].strip()
        if _CLOSING.match(line):
            return "\n".join(lines[:number]).strip()
        after += bool(line)
        if after > _FEW_LINES or len(line) > _SHORT_LINE:
            break
    return "\n".join(lines).strip()
