"""What the measurement found, as the page shows it: verdicts, findings, and the pins on the model."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from flask_babel import gettext as _

from marketplace.designs.models import Asset, Derivative
from marketplace.designs.pictures import Sign
from marketplace.designs.vocabulary import reason_text
from marketplace.web.i18n import Formats

GLB = "model/gltf-binary"
_ORDER = {"blocker": 0, "warning": 1, "info": 2}
_VERDICTS = ("printable", "castable", "wearable")


@dataclass(frozen=True, slots=True)
class Finding:
    """One finding; `number` is that of its pin, None when it has no place on the current model."""

    text: str
    severity: str
    filename: str
    verdict: str
    figures: str
    source: str
    number: int | None
    place: list[float] | None


@dataclass(frozen=True, slots=True)
class Model:
    """What the 3D view opens: `exact` is the owner's own model in mm, else the public likeness scaled to mm."""

    src: str
    key: str
    exact: bool
    scale: float
    turn: list[float]
    asset_id: str


def findings(assets: Sequence[Asset], current: Asset | None) -> list[Finding]:
    """What reading the files found, worst first; those with a place in the current CAD are numbered."""
    seen = [
        (asset, item)
        for asset in assets
        if asset.state == "ready" and (asset.kind != "cad" or current is None or asset is current)
        for item in [*asset.report.get("findings", []), *asset.report.get("warnings", [])]
    ]
    seen.sort(key=lambda pair: _ORDER.get(str(pair[1].get("severity", "info")), 3))
    found, number = [], 0
    for asset, item in seen:
        place = item.get("place") if asset is current else None
        if place is not None:
            number += 1
        found.append(
            Finding(
                text=reason_text(item),
                severity=str(item.get("severity", "info")),
                filename=asset.filename,
                verdict=item.get("verdict") or "",
                figures=_figures(item),
                source=item.get("rule_source") or "",
                number=number if place is not None else None,
                place=place,
            )
        )
    return found


def _figures(item: dict[str, Any]) -> str:
    """What was measured and what the rule asks for."""
    measured, limit, unit = item.get("measured"), item.get("limit"), item.get("unit") or ""
    if measured is None or limit is None:
        return ""
    fmt = Formats()
    return _(
        "%(measured)s measured, %(limit)s wanted",
        measured=f"{fmt.number(measured, 2)}\u00a0{unit}",
        limit=f"{fmt.number(limit, 2)}\u00a0{unit}",
    )


def verdicts(current: Asset | None) -> list[dict[str, str]]:
    """Printable, castable, wearable: {code, word, level, tone, icon}; empty without a measured file."""
    if current is None or not current.report.get("facts"):
        return []
    return verdict_rows(current.report.get("verdicts") or {})


def verdict_rows(told: Mapping[str, Any]) -> list[dict[str, str]]:
    """The three verdicts in words, with how they look."""
    words = {"printable": _("Printable"), "castable": _("Castable"), "wearable": _("Wearable")}
    levels = {
        "pass": (_("yes"), "ok", "circle-check"),
        "review": (_("look at it"), "warn", "triangle-alert"),
        "fail": (_("no"), "bad", "octagon-alert"),
        "unknown": (_("not known"), "", "circle-dashed"),
    }
    found = []
    for code in _VERDICTS:
        level = str(told.get(code, "unknown"))
        word, tone, icon = levels.get(level, levels["unknown"])
        found.append({"code": code, "title": words[code], "level": level, "word": word, "tone": tone, "icon": icon})
    return found


def model(current: Asset | None, derivatives: Sequence[Derivative], sign: Sign) -> Model | None:
    """The model of the current CAD file; None when there is none to show."""
    if current is None:
        return None
    own = {row.role: row for row in derivatives if row.asset_id == current.id and row.content_type == GLB}
    row = own.get("studio_glb") or own.get("preview_glb")
    if row is None:
        return None
    exact = row.role == "studio_glb"
    return Model(
        src=sign(row.storage_key),
        key=row.id,
        exact=exact,
        scale=1.0 if exact else _diagonal(current),
        turn=(current.report.get("preview") or {}).get("turn") or [1, 0, 0, 0, 1, 0, 0, 0, 1],
        asset_id=current.id,
    )


def likeness(derivatives: Sequence[Derivative], named: Collection[str | None]) -> Derivative | None:
    """The public preview of the file the facts come from (`named` assets), else of any; hidden ones stay hidden."""
    found = [row for row in derivatives if row.role == "preview_glb" and not row.hidden]
    return next((row for row in found if row.asset_id in named), found[-1] if found else None)


def _diagonal(asset: Asset) -> float:
    """Of the piece's box, mm, which the public likeness scales to one; 1 while the unit is not known."""
    sizes = [f.get("value") for f in asset.report.get("facts", []) if f["name"] in {"size_x", "size_y", "size_z"}]
    numbers = [float(size) for size in sizes if isinstance(size, int | float)]
    return float(sum(size * size for size in numbers) ** 0.5) if len(numbers) == 3 else 1.0


def pins(found: Sequence[Finding]) -> list[dict[str, Any]]:
    """The numbered findings for the view: {n, place, severity, text}."""
    return [
        {"n": f.number, "place": f.place, "severity": f.severity, "text": f.text} for f in found if f.number is not None
    ]


def bodies(current: Asset | None, stone_word: Callable[[str], str]) -> list[dict[str, Any]]:
    """Bodies of the file for the view: {index, name, kind, species, shown}."""
    told = (current.report.get("bodies") or []) if current is not None else []
    return [
        {
            "index": body["index"],
            "name": body.get("name") or "",
            "kind": body.get("kind") or "metal",
            "species": body.get("species") or "",
            "shown": stone_word(body.get("species") or "") if body.get("kind") == "stone" else "",
        }
        for body in told
        if not body.get("hidden")
    ]
