"""Alloys and casting rules with their sources, and what an organization puts in their place."""

import sqlalchemy as sa
from alembic import op

from marketplace.config import WEB_ROLE
from marketplace.db.row_security import ORG, protect

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

_READ_ON = "2026-11"
# code, label, family, fineness, density, low, high (g/cm3), source
_ALLOYS = (
    ("24k_yellow", "24k yellow gold", "gold", 999, "19.32", "19.32", "19.36", "JewelCraft weighting tables, Stuller"),
    (
        "22k_yellow",
        "22k yellow gold",
        "gold",
        916,
        "17.8",
        "17.8",
        "17.86",
        "JewelCraft weighting tables, designbuildcast.co.uk",
    ),
    (
        "18k_yellow",
        "18k yellow gold",
        "gold",
        750,
        "15.55",
        "15.53",
        "15.6",
        "JewelCraft weighting tables, Stuller, designbuildcast.co.uk",
    ),
    (
        "18k_white_pd",
        "18k white gold (palladium)",
        "gold",
        750,
        "15.7",
        "15.66",
        "15.8",
        "JewelCraft weighting tables, designbuildcast.co.uk",
    ),
    (
        "18k_white_ni",
        "18k white gold (nickel)",
        "gold",
        750,
        "14.65",
        "14.64",
        "14.69",
        "JewelCraft weighting tables, Stuller",
    ),
    (
        "18k_rose",
        "18k rose gold",
        "gold",
        750,
        "15.1",
        "15.02",
        "15.18",
        "JewelCraft weighting tables, Stuller, designbuildcast.co.uk",
    ),
    (
        "14k_yellow",
        "14k yellow gold",
        "gold",
        585,
        "13.05",
        "13.05",
        "13.65",
        "JewelCraft weighting tables, Stuller, designbuildcast.co.uk",
    ),
    (
        "14k_white_pd",
        "14k white gold (palladium)",
        "gold",
        585,
        "14.4",
        "14.2",
        "14.6",
        "JewelCraft weighting tables, designbuildcast.co.uk",
    ),
    (
        "14k_white_ni",
        "14k white gold (nickel)",
        "gold",
        585,
        "12.61",
        "12.61",
        "12.61",
        "JewelCraft weighting tables, Stuller",
    ),
    ("14k_rose", "14k rose gold", "gold", 585, "13.15", "13.03", "13.26", "JewelCraft weighting tables, Stuller"),
    ("10k_yellow", "10k yellow gold", "gold", 417, "11.5", "11.47", "11.57", "JewelCraft weighting tables, Stuller"),
    ("9k_yellow", "9k yellow gold", "gold", 375, "11.1", "11.1", "11.1", "designbuildcast.co.uk"),
    (
        "sterling",
        "sterling silver",
        "silver",
        925,
        "10.36",
        "10.35",
        "10.4",
        "JewelCraft weighting tables, Stuller, designbuildcast.co.uk",
    ),
    (
        "platinum_950_ru",
        "platinum 950 (ruthenium)",
        "platinum",
        950,
        "20.7",
        "20.15",
        "20.7",
        "JewelCraft weighting tables, designbuildcast.co.uk",
    ),
    (
        "platinum_950_co",
        "platinum 950 (cobalt)",
        "platinum",
        950,
        "20.5",
        "20.5",
        "20.8",
        "Stuller; trade figure for casting",
    ),
    (
        "palladium_950",
        "palladium 950",
        "palladium",
        950,
        "11.8",
        "11.4",
        "12.16",
        "JewelCraft weighting tables, designbuildcast.co.uk",
    ),
)
# code, process, family, measure, limit, unit, severity, verdict, source
_RULES = (
    (
        "print_feature",
        "printed",
        "any",
        "feature_min",
        "0.3",
        "mm",
        "blocker",
        "printable",
        "Formlabs, castable wax guide",
    ),
    ("print_wall", "printed", "any", "wall_min", "0.3", "mm", "blocker", "printable", "Formlabs, castable wax guide"),
    (
        "print_pieces",
        "any",
        "any",
        "pieces",
        "1",
        "",
        "info",
        "printable",
        "common practice: separate pieces are printed apart",
    ),
    ("cast_wall", "any", "any", "wall_min", "0.8", "mm", "warning", "castable", "gemwares.com, CAD rules"),
    (
        "cast_wall_thin",
        "any",
        "any",
        "wall_min",
        "0.5",
        "mm",
        "blocker",
        "castable",
        "Stuller, best practices for CAD/CAM: scrolls",
    ),
    ("cast_wall_gold", "any", "gold", "wall_min", "1.0", "mm", "warning", "castable", "misterjewel.com"),
    (
        "cast_hollow_wall",
        "any",
        "any",
        "hollow_wall_min",
        "0.7",
        "mm",
        "warning",
        "castable",
        "saqlainbullion, 2026-03",
    ),
    (
        "cast_wire",
        "any",
        "any",
        "feature_min",
        "0.8",
        "mm",
        "warning",
        "castable",
        "Shapeways and Sculpteo, supported wires",
    ),
    ("cast_gap", "any", "any", "gap_min", "0.4", "mm", "warning", "castable", "Stuller, best practices for CAD/CAM"),
    ("cast_mass", "any", "any", "mass_max", "4", "mm", "warning", "castable", "saqlainbullion, 2026-03"),
    (
        "cast_cavities",
        "any",
        "any",
        "cavities",
        "0",
        "",
        "warning",
        "castable",
        "saqlainbullion: drain holes of 1.5 mm or more",
    ),
    (
        "wear_shank",
        "any",
        "any",
        "shank_thickness",
        "1.2",
        "mm",
        "warning",
        "wearable",
        "Stuller, best practices for CAD/CAM",
    ),
    ("wear_shank_thin", "any", "any", "shank_thickness", "0.8", "mm", "blocker", "wearable", "gemwares.com, CAD rules"),
    (
        "wear_prong",
        "any",
        "any",
        "feature_min",
        "0.6",
        "mm",
        "warning",
        "wearable",
        "gemwares.com, CAD rules for prongs",
    ),
)


def upgrade() -> None:
    alloys = op.create_table(
        "alloys",
        sa.Column("code", sa.String(length=40), nullable=False),
        sa.Column("label", sa.String(length=80), nullable=False),
        sa.Column("family", sa.String(length=10), nullable=False),
        sa.Column("fineness", sa.Integer(), nullable=False),
        sa.Column("density", sa.Numeric(6, 3), nullable=False),
        sa.Column("low", sa.Numeric(6, 3), nullable=False),
        sa.Column("high", sa.Numeric(6, 3), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("read_on", sa.String(length=10), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.CheckConstraint(
            "family in ('gold', 'silver', 'platinum', 'palladium', 'base')", name=op.f("ck_alloys_family")
        ),
        sa.CheckConstraint("low <= density and density <= high and low > 0", name=op.f("ck_alloys_range")),
        sa.PrimaryKeyConstraint("code", name=op.f("pk_alloys")),
    )
    rules = op.create_table(
        "casting_rules",
        sa.Column("code", sa.String(length=40), nullable=False),
        sa.Column("process", sa.String(length=10), nullable=False),
        sa.Column("family", sa.String(length=10), nullable=False),
        sa.Column("measure", sa.String(length=20), nullable=False),
        sa.Column("limit_value", sa.Numeric(8, 3), nullable=False),
        sa.Column("unit", sa.String(length=4), nullable=False),
        sa.Column("severity", sa.String(length=10), nullable=False),
        sa.Column("verdict", sa.String(length=10), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("read_on", sa.String(length=10), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.CheckConstraint("process in ('any', 'printed', 'molded')", name=op.f("ck_casting_rules_process")),
        sa.CheckConstraint(
            "family in ('any', 'gold', 'silver', 'platinum', 'palladium', 'base')",
            name=op.f("ck_casting_rules_family"),
        ),
        sa.CheckConstraint("severity in ('info', 'warning', 'blocker')", name=op.f("ck_casting_rules_severity")),
        sa.CheckConstraint("verdict in ('printable', 'castable', 'wearable')", name=op.f("ck_casting_rules_verdict")),
        sa.PrimaryKeyConstraint("code", name=op.f("pk_casting_rules")),
    )
    op.create_table(
        "material_overrides",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("org_id", sa.String(length=40), nullable=False),
        sa.Column("kind", sa.String(length=10), nullable=False),
        sa.Column("code", sa.String(length=40), nullable=False),
        sa.Column("value", sa.Numeric(8, 3), nullable=True),
        sa.Column("previous", sa.Numeric(8, 3), nullable=True),
        sa.Column("user_id", sa.String(length=40), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("kind in ('alloy', 'rule')", name=op.f("ck_material_overrides_kind")),
        sa.ForeignKeyConstraint(["org_id"], ["organizations.id"], name=op.f("fk_material_overrides_org_id")),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_material_overrides_user_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_material_overrides")),
        sa.UniqueConstraint("org_id", "kind", "code", name="uq_material_overrides_org"),
    )
    named = ("code", "label", "family", "fineness", "density", "low", "high", "source")
    op.bulk_insert(
        alloys,
        [dict(zip(named, row, strict=True), read_on=_READ_ON, position=place) for place, row in enumerate(_ALLOYS)],
    )
    parts = ("code", "process", "family", "measure", "limit_value", "unit", "severity", "verdict", "source")
    op.bulk_insert(
        rules,
        [dict(zip(parts, row, strict=True), read_on=_READ_ON, position=place) for place, row in enumerate(_RULES)],
    )
    # Everybody reads the published numbers; requests never change them.
    for table in ("alloys", "casting_rules"):
        protect(op, table, read="true", write="false")
    protect(op, "material_overrides", read=f"org_id = {ORG}", write=f"org_id = {ORG}")
    # The owner's view of a CAD file has its true size and shape; listing a design does not show it.
    op.execute(
        f"create policy web_owner_view on derivatives as restrictive for select to {WEB_ROLE}"
        f" using (role <> 'studio_glb' or org_id = {ORG})"
    )


def downgrade() -> None:
    op.execute("drop policy web_owner_view on derivatives")
    for table in ("material_overrides", "casting_rules", "alloys"):
        op.drop_table(table)
