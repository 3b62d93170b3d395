"""The parametric models are castable solids with the dimensions they state."""

import json
from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import pytest
import trimesh
from embreex.mesh_construction import TriangleMesh
from embreex.rtcore_scene import EmbreeScene
from PIL import Image

from ai_pipeline.cad.models import PIECES, Piece, export_glb, export_stl, gems, solids
from ai_pipeline.cad.models.rings import Solitaire
from ai_pipeline.cad.studio.materials import ALLOYS, STONES

GOLD_18K = 15.55 / 1000
"""Grams per cubic millimeter of 18k yellow gold."""

PAVE = {"half-eternity", "split-shank-halo", "prism-bar", "pave-huggies"}
"""Between melee the webs are thinner than a wall may be; that is how pave is made."""

DEMO = Path(__file__).parents[2] / "demo"


@cache
def built(slug: str) -> Piece:
    """Each model is built once for all tests."""
    return PIECES[slug].build()


@pytest.fixture(params=sorted(PIECES))
def slug(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def test_there_are_at_least_fourteen_models_in_four_categories() -> None:
    assert len(PIECES) >= 14
    assert {d.category for d in PIECES.values()} == {"ring", "pendant", "earrings", "bangle"}


def test_metal_is_one_closed_solid_of_positive_volume(slug: str) -> None:
    metal = built(slug).metal
    assert metal.is_watertight
    assert metal.is_winding_consistent
    assert metal.body_count == 1
    assert metal.volume > 0


def test_mesh_is_smooth_but_not_wasteful(slug: str) -> None:
    assert 15_000 <= len(built(slug).metal.faces) <= 135_000


def test_weight_is_plausible_for_its_kind(slug: str) -> None:
    low, high = PIECES[slug].grams_18k
    assert low <= built(slug).metal.volume * GOLD_18K <= high


def test_bore_is_the_nominal_one(slug: str) -> None:
    piece = built(slug)
    if piece.bore_mm is None:
        assert PIECES[slug].category != "ring"
        return
    axis_distance = np.hypot(piece.metal.vertices[:, 0], piece.metal.vertices[:, 2])
    across = np.linalg.norm(piece.metal.triangles_center[:, [0, 2]], axis=1)
    assert 2 * axis_distance.min() == pytest.approx(piece.bore_mm, abs=0.02)
    assert 2 * across.min() == pytest.approx(piece.bore_mm, abs=0.02)


def walls(metal: trimesh.Trimesh, count: int = 8000) -> np.ndarray:
    """Wall thickness (mm) at points spread evenly over the surface; infinite where no facing wall is near parallel."""
    scene = EmbreeScene()
    TriangleMesh(scene, np.ascontiguousarray(metal.triangles, np.float32))
    points, faces = trimesh.sample.sample_surface(metal, count, seed=1)
    inward = -metal.face_normals[faces]
    hit = scene.run((points + inward * 1e-3).astype(np.float32), inward.astype(np.float32), output=True)
    facing = np.einsum("ij,ij->i", metal.face_normals[hit["primID"]], inward) > 0.5
    return np.where((hit["primID"] >= 0) & facing, hit["tfar"] + 1e-3, np.inf)


def test_walls_are_as_thick_as_designed(slug: str) -> None:
    piece = built(slug)
    assert piece.thinnest_mm >= 0.8
    # Seats may take a quarter of a claw and lips run out to an edge, so a small share of the surface is thinner.
    allowed = 0.06 if slug in PAVE else 0.045
    assert (walls(piece.metal) < 0.75).mean() < allowed


def test_shanks_are_at_least_one_and_a_half_millimeters(slug: str) -> None:
    piece = built(slug)
    if PIECES[slug].category != "ring" or piece.bore_mm is None:
        return
    below = piece.metal.vertices[piece.metal.vertices[:, 2] < 0]
    radius = np.hypot(below[:, 0], below[:, 2])
    assert radius.max() - piece.bore_mm / 2 >= 1.5


def test_stones_sit_in_their_seats_without_touching_metal(slug: str) -> None:
    piece = built(slug)
    metal = solids.from_trimesh(piece.metal)
    for stone in piece.stones:
        assert stone.mesh.is_watertight
        assert stone.mesh.volume > 0
        assert (metal ^ solids.from_trimesh(stone.mesh)).volume() < 1e-4


def test_stl_is_binary_in_millimeters_and_stays_closed_when_welded(slug: str, tmp_path: Path) -> None:
    path = tmp_path / "metal.stl"
    export_stl(built(slug), path)
    assert path.stat().st_size == 84 + 50 * len(built(slug).metal.faces)
    read = trimesh.load_mesh(path)
    read.merge_vertices(digits_vertex=5)
    read.update_faces(read.nondegenerate_faces())
    assert read.is_watertight
    assert read.volume == pytest.approx(built(slug).metal.volume, rel=1e-4)


def test_glb_is_in_meters_and_names_metal_and_stones(tmp_path: Path) -> None:
    path = tmp_path / "piece.glb"
    export_glb(built("sapphire-trilogy"), path, alloy="18k_white")
    scene = trimesh.load_scene(path)
    names = set(scene.graph.nodes_geometry)
    assert "metal" in names
    assert "stone_01 sapphire oval 8.00x6.00 mm" in names
    assert sum(name.startswith("stone_") for name in names) == 3
    height = built("sapphire-trilogy").metal.extents[2] / 1000
    assert scene.geometry["metal"].extents[2] == pytest.approx(height, rel=1e-3)
    read = scene.geometry["metal"].copy()
    read.apply_scale(1000)
    read.merge_vertices(merge_norm=True, merge_tex=True, digits_vertex=4)
    assert read.volume == pytest.approx(built("sapphire-trilogy").metal.volume, rel=1e-3)


def test_a_larger_ring_size_changes_the_bore_alone() -> None:
    larger = replace(Solitaire(), bore=18.14).build()
    radius = np.hypot(larger.metal.vertices[:, 0], larger.metal.vertices[:, 2]).min()
    assert 2 * radius == pytest.approx(18.14, abs=0.02)
    assert larger.stones[0].length_mm == built("six-claw-solitaire").stones[0].length_mm


def test_round_brilliant_has_57_facets_and_trade_weight() -> None:
    stone = gems.cut("round", "diamond", 6.5)
    facets = stone.mesh.face_normals[np.abs(stone.mesh.face_normals[:, 2]) > 1e-6]
    assert len(np.unique(np.round(facets, 3), axis=0)) == 57
    assert stone.mesh.volume * 3.52 / 200 == pytest.approx(6.5**2 * stone.depth_mm * 0.0061, rel=0.04)


@pytest.mark.parametrize("shape", ["oval", "pear", "cushion", "emerald", "cabochon", "pearl"])
def test_every_cut_is_a_closed_solid_of_its_nominal_size(shape: str) -> None:
    stone = gems.cut(shape, "diamond", 8.0, 8.0 if shape == "pearl" else 6.0)
    assert stone.mesh.is_watertight
    assert stone.mesh.extents[1] == pytest.approx(8.0, abs=0.03)
    assert stone.mesh.extents[0] == pytest.approx(stone.width_mm, abs=0.03)


def test_registry_names_known_alloys_and_stones(slug: str) -> None:
    assert set(PIECES[slug].metals) <= set(ALLOYS)
    assert {s.species for s in built(slug).stones} <= set(STONES)


def test_demo_pieces_describe_exactly_the_models_and_their_pictures() -> None:
    demo = json.loads((DEMO / "pieces.json").read_text(encoding="utf-8"))
    studios = {s["slug"] for s in demo["studios"]}
    assert len(studios) == 4
    assert [p["slug"] for p in demo["pieces"]] == list(PIECES)
    for entry in demo["pieces"]:
        design = PIECES[entry["slug"]]
        assert entry["studio"] in studios
        assert (entry["title"], entry["category"]) == (design.title, design.category)
        assert entry["metal"] == design.metals[0]
        assert entry["license_price"] > 0
        assert bool(entry["stones"]) == bool(built(entry["slug"]).stones)
        assert "handmade" not in entry["description"].lower()
        for name, limit in zip(entry["pictures"], (120_000, 80_000, 80_000), strict=True):
            assert (DEMO / "pictures" / name).stat().st_size <= limit


def test_demo_pictures_are_small_and_in_their_format() -> None:
    files = list((DEMO / "pictures").glob("*.webp"))
    assert sum(f.stat().st_size for f in files) <= 5_000_000
    for slug in PIECES:
        with Image.open(DEMO / "pictures" / f"{slug}-hero.webp") as hero:
            assert hero.size == (1200, 1500)
    with Image.open(DEMO / "pictures" / "banner.webp") as banner:
        assert banner.size == (2000, 1100)
    assert (DEMO / "pictures" / "banner.webp").stat().st_size <= 250_000
