"""Every model by slug, with how it is shown and what it should weigh."""

from ai_pipeline.cad.models import bands, bangles, earrings, pendants, rings
from ai_pipeline.cad.models.piece import Design

_DESIGNS = (
    Design("court-band", "Court Band", "ring", "standing", bands.CourtBand().build, ("18k_yellow", "platinum"), (8.0, 10.5)),
    Design("knife-edge-band", "Knife-Edge Band", "ring", "standing", bands.KnifeEdgeBand().build, ("platinum", "18k_white"), (4.2, 5.8)),
    Design("rope-band", "Rope Band", "ring", "standing", bands.RopeBand().build, ("18k_rose", "14k_yellow"), (7.0, 9.5)),
    Design("half-eternity", "Half Eternity", "ring", "standing", bands.HalfEternity().build, ("18k_rose", "18k_white"), (2.8, 4.2)),
    Design("six-claw-solitaire", "Six-Claw Solitaire", "ring", "standing", rings.Solitaire().build, ("18k_yellow", "platinum"), (3.0, 6.0)),
    Design("sapphire-trilogy", "Sapphire Trilogy", "ring", "standing", rings.ThreeStone().build, ("18k_white", "platinum"), (3.5, 5.5)),
    Design("split-shank-halo", "Split-Shank Halo", "ring", "standing", rings.HaloRing().build, ("platinum", "18k_white"), (3.6, 5.2)),
    Design("oval-signet", "Oval Signet", "ring", "standing", rings.Signet().build, ("18k_yellow", "silver"), (10.5, 14.5)),
    Design("orb-torque", "Orb Torque", "bangle", "lying", bangles.TorqueBangle().build, ("silver", "18k_yellow"), (21.0, 29.0)),
    Design("ridge-cuff", "Ridge Cuff", "bangle", "standing", bangles.TaperedCuff().build, ("18k_yellow", "silver"), (34.0, 50.0)),
    Design("sunburst-disc", "Sunburst Disc", "pendant", "hanging", pendants.DiscPendant().build, ("18k_yellow", "18k_rose"), (3.8, 5.8)),
    Design(
        "lapis-cabochon", "Lapis Cabochon", "pendant", "hanging", pendants.CabochonPendant().build, ("14k_yellow", "silver"), (3.2, 4.8)
    ),
    Design("prism-bar", "Prism Bar", "pendant", "hanging", pendants.BarPendant().build, ("18k_white", "18k_yellow"), (2.2, 3.6)),
    Design("beech-leaf", "Beech Leaf", "pendant", "hanging", pendants.LeafPendant().build, ("18k_yellow", "silver"), (4.6, 7.0)),
    Design("moebius", "Moebius", "pendant", "hanging", pendants.MoebiusPendant().build, ("silver", "18k_yellow"), (5.8, 8.2)),
    Design("triple-link", "Triple Link", "pendant", "hanging", pendants.LinkPendant().build, ("18k_rose", "18k_yellow"), (3.4, 5.2)),
    Design(
        "claw-studs", "Claw Studs", "earrings", "pair", earrings.ClawStuds().build, ("18k_yellow", "platinum"), (0.35, 0.65),
        sold_as_pair=True,
    ),
    Design(
        "pear-drops", "Pear Drops", "earrings", "pair", earrings.PearDrops().build, ("18k_rose", "18k_yellow"), (2.0, 3.4),
        sold_as_pair=True,
    ),
    Design(
        "pave-huggies", "Pave Huggies", "earrings", "pair", earrings.Huggies().build, ("18k_yellow", "18k_white"), (1.9, 3.1),
        sold_as_pair=True,
    ),
)  # fmt: skip

PIECES: dict[str, Design] = {design.slug: design for design in _DESIGNS}
