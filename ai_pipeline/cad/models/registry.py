"""Every model by slug, with how it is shown and what it should weigh in 18k yellow gold."""

from ai_pipeline.cad.models.bands import CourtBand, HalfEternity, KnifeEdgeBand, RopeBand
from ai_pipeline.cad.models.bangles import TaperedCuff, TorqueBangle
from ai_pipeline.cad.models.earrings import ClawStuds, Huggies, PearDrops
from ai_pipeline.cad.models.pendants import (
    BarPendant,
    CabochonPendant,
    DiscPendant,
    LeafPendant,
    LinkPendant,
    MoebiusPendant,
)
from ai_pipeline.cad.models.piece import Category, Design, Model, Pose
from ai_pipeline.cad.models.rings import HaloRing, Signet, Solitaire, ThreeStone

Y18, Y14, W18, R18, PT, AG = "18k_yellow", "14k_yellow", "18k_white", "18k_rose", "platinum", "silver"

Row = tuple[str, str, Category, Pose, Model, tuple[str, ...], tuple[float, float]]

_ROWS: tuple[Row, ...] = (
    ("court-band", "Court Band", "ring", "standing", CourtBand(), (Y18, PT), (8.0, 10.5)),
    ("knife-edge-band", "Knife-Edge Band", "ring", "standing", KnifeEdgeBand(), (PT, W18), (4.2, 5.8)),
    ("rope-band", "Rope Band", "ring", "standing", RopeBand(), (R18, Y14), (7.0, 9.5)),
    ("half-eternity", "Half Eternity", "ring", "standing", HalfEternity(), (R18, W18), (2.8, 4.2)),
    ("six-claw-solitaire", "Six-Claw Solitaire", "ring", "standing", Solitaire(), (Y18, PT), (3.0, 6.0)),
    ("sapphire-trilogy", "Sapphire Trilogy", "ring", "standing", ThreeStone(), (W18, PT), (3.5, 5.5)),
    ("split-shank-halo", "Split-Shank Halo", "ring", "standing", HaloRing(), (PT, W18), (3.6, 5.2)),
    ("oval-signet", "Oval Signet", "ring", "standing", Signet(), (Y18, AG), (10.5, 14.5)),
    ("orb-torque", "Orb Torque", "bangle", "lying", TorqueBangle(), (AG, Y18), (21.0, 29.0)),
    ("ridge-cuff", "Ridge Cuff", "bangle", "standing", TaperedCuff(), (Y18, AG), (34.0, 50.0)),
    ("sunburst-disc", "Sunburst Disc", "pendant", "hanging", DiscPendant(), (Y18, R18), (4.8, 7.0)),
    ("lapis-cabochon", "Lapis Cabochon", "pendant", "hanging", CabochonPendant(), (Y14, AG), (3.2, 4.8)),
    ("prism-bar", "Prism Bar", "pendant", "hanging", BarPendant(), (W18, Y18), (2.2, 3.6)),
    ("beech-leaf", "Beech Leaf", "pendant", "hanging", LeafPendant(), (Y18, AG), (4.6, 7.0)),
    ("moebius", "Moebius", "pendant", "hanging", MoebiusPendant(), (AG, Y18), (5.8, 8.2)),
    ("triple-link", "Triple Link", "pendant", "hanging", LinkPendant(), (R18, Y18), (3.4, 5.2)),
    ("claw-studs", "Claw Studs", "earrings", "pair", ClawStuds(), (Y18, PT), (0.35, 0.65)),
    ("pear-drops", "Pear Drops", "earrings", "pair", PearDrops(), (R18, Y18), (2.0, 3.4)),
    ("pave-huggies", "Pave Huggies", "earrings", "pair", Huggies(), (Y18, W18), (1.9, 3.1)),
)

PIECES: dict[str, Design] = {row[0]: Design(*row) for row in _ROWS}
