"""Stories, lookbooks and specifications from facts."""

from typing import Any

from sandbox.gemini import facts as says

#: No story needs more sentences than this about one piece.
_MOST = 12
_LAYOUTS = ("cover", "full", "pair", "detail")


def story(task: dict[str, Any]) -> dict[str, Any]:
    """Headline, paragraphs and claims; every claim is a sentence of the story and names its fact."""
    chinese = _chinese(task)
    title, kind, by = _names(task, chinese)
    claims = _claims(says.worth_telling(_facts(task)), chinese)
    measured = {f.get("name") for f in _facts(task) if f.get("source") == "measured"}
    told = [c["text"] for c in claims if c["fact"] not in measured]
    counted = [c["text"] for c in claims if c["fact"] in measured]
    gap = "" if chinese else " "
    if chinese:
        opening = f"{title}是{by}设计的一件{kind}。" if by else f"{title}是一件{kind}。"
        headline = f"{title}：{by}的{kind}" if by else f"{title}：一件{kind}"
    else:
        opening = f"{title} is {_a(kind)} by {by}." if by else f"{title} is {_a(kind)}."
        headline = f"{title}, {_a(kind)} by {by}" if by else f"{title}, {_a(kind)}"
    paragraphs = [gap.join([opening, *told])]
    if counted:
        lead = "以下数据由设计文件测得。" if chinese else "These figures were measured on the design file."
        paragraphs.append(gap.join([lead, *counted]))
    return {
        "headline": headline,
        "paragraphs": paragraphs,
        "claims": claims,
        "language": str(task.get("language") or "en") if chinese else "en",
    }


def lookbook(task: dict[str, Any], images: int) -> dict[str, Any]:
    """A page per image, captioned with the facts in turn."""
    chinese = _chinese(task)
    title, kind, by = _names(task, chinese)
    measured = {f.get("name") for f in _facts(task) if f.get("source") == "measured"}
    claims = sorted(_claims(says.worth_telling(_facts(task)), chinese), key=lambda claim: claim["fact"] in measured)
    listed = task.get("images")
    count = len(listed) if isinstance(listed, list) and listed else images or 1
    pages = [{"title": title, "caption": by or kind, "image_index": 0, "layout": "cover"}]
    for number in range(1, min(count, 12)):
        claim = claims[(number - 1) % len(claims)] if claims else {"text": kind, "fact": ""}
        heading = says.label_of(claim["fact"], chinese) or kind
        pages.append(
            {
                "title": heading[:1].upper() + heading[1:],
                "caption": claim["text"],
                "image_index": number,
                "layout": _LAYOUTS[1 + (number - 1) % 3],
            }
        )
    return {"title": title, "pages": pages, "language": str(task.get("language") or "en") if chinese else "en"}


def spec(task: dict[str, Any]) -> dict[str, Any]:
    """The facts in order, measured ones first; nothing is added."""
    chinese = _chinese(task)
    title, kind, _ = _names(task, chinese)
    groups: dict[str, list[dict[str, Any]]] = {}
    for fact in _facts(task):
        groups.setdefault(str(fact.get("source") or "given"), []).append(
            {
                "label": says.label_of(str(fact.get("name", "")), chinese),
                "value": says.value_text(fact, chinese),
                "unit": str(fact.get("unit") or ""),
                "fact": str(fact.get("name", "")),
                "text": says.sentence(fact, chinese),
            }
        )
    names = {"measured": "实测", "human": "设计师提供", "ai": "建议"} if chinese else {}
    sections = [
        {"title": names.get(source, source.capitalize()), "items": groups[source]}
        for source in sorted(groups, key=lambda s: s != "measured")
    ]
    return {
        "title": title,
        "summary": f"{title} – {kind}",
        "sections": sections,
        "items": [item for section in sections for item in section["items"]],
        "notes": [],
        "claims": _claims(says.worth_telling(_facts(task)), chinese),
        "language": str(task.get("language") or "en") if chinese else "en",
    }


def _claims(facts: list[dict[str, Any]], chinese: bool) -> list[dict[str, str]]:
    made = [{"text": says.sentence(fact, chinese), "fact": str(fact.get("name", ""))} for fact in facts]
    return [claim for claim in made if claim["text"]][:_MOST]


def _facts(task: dict[str, Any]) -> list[dict[str, Any]]:
    return [fact for fact in task.get("facts") or [] if isinstance(fact, dict)]


def _names(task: dict[str, Any], chinese: bool) -> tuple[str, str, str]:
    kind = str(task.get("category") or ("作品" if chinese else "piece")).replace("_", " ")
    title = str(task.get("title") or ("这件作品" if chinese else "This piece"))
    return title, says.label_of(kind, chinese), str(task.get("designer") or "")


def _chinese(task: dict[str, Any]) -> bool:
    return str(task.get("language") or "").lower().startswith("zh")


def _a(noun: str) -> str:
    if noun.endswith("s") and not noun.endswith("ss"):
        return f"a pair of {noun}" if noun in {"earrings", "studs", "hoops", "cufflinks"} else noun
    return f"an {noun}" if noun[:1].lower() in "aeiou" else f"a {noun}"
