"""Walls, gaps, crossings, shank, stones and verdicts on shapes whose truth is known."""

import json
import math
import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ai_pipeline.cad.bore import find_bore
from ai_pipeline.cad.gems import carats
from ai_pipeline.cad.intersections import self_intersections
from ai_pipeline.cad.measure import Measured, measure
from ai_pipeline.cad.rays import Scene
from ai_pipeline.cad.report import Fact
from ai_pipeline.cad.shank import cuts
from ai_pipeline.cad.shape import Body
from ai_pipeline.cad.solids import shells_of
from ai_pipeline.cad.studio_mesh import write_studio
from ai_pipeline.cad.units import judge as judge_units
from ai_pipeline.cad.walls import walls_of
from bench import cad_shapes
from tests.pipeline.shapes import Mesh, band, box, joined

RULES = [
    {"code": "wall", "measure": "wall_min", "limit": 0.8, "severity": "warning", "verdict": "castable", "source": "us"},
    {
        "code": "thin",
        "measure": "wall_min",
        "limit": 0.3,
        "severity": "blocker",
        "verdict": "printable",
        "source": "us",
    },
    {
        "code": "shank",
        "measure": "shank_thickness",
        "limit": 1.2,
        "verdict": "wearable",
        "source": "us",
        "date": "2026",
    },
    {"code": "gap", "measure": "gap_min", "limit": 0.4, "verdict": "castable", "source": "us"},
]


def measured(*meshes: Mesh, exact: float | None = None, **choices: Any) -> Measured:
    bodies = [Body(points, faces, name=f"part {n}", index=n) for n, (points, faces) in enumerate(meshes)]
    if exact is not None:
        bodies[0].exact_volume = exact
    return measure(shells_of(bodies), judge_units(bodies, "mm", None), choices)


def fact(found: Measured, name: str) -> Fact:
    return next(item for item in found.facts if item.name == name)


@pytest.mark.parametrize("make", cad_shapes.MESHES, ids=lambda make: make.__name__)
def test_the_thinnest_wall_is_found_to_five_micrometers_and_where_it_is(make: Any) -> None:
    piece = make(np.random.default_rng(7))
    ((points, faces),) = piece.bodies.values()
    wall = walls_of(Scene(points, faces)).wall
    assert wall is not None
    assert wall.value == pytest.approx(piece.wall, abs=0.005)
    assert wall.confirmed
    assert piece.thin is None or piece.thin(np.array(wall.place)) < 1.0


def test_two_plates_have_a_gap_and_a_lone_box_has_none() -> None:
    plates = joined(box(4.0), box(4.0, at=(4.25, 0.0, 0.0)))
    gap = walls_of(Scene(*plates)).gap
    assert gap is not None
    assert gap.value == pytest.approx(0.25, abs=0.005)
    assert gap.place[0] == pytest.approx(4.125, abs=0.01)
    assert walls_of(Scene(*box(4.0))).gap is None


def test_a_thin_wire_is_a_feature_and_a_plate_is_none() -> None:
    torus = cad_shapes.torus(np.random.default_rng(3))
    ((points, faces),) = torus.bodies.values()
    wire = walls_of(Scene(points, faces)).wire
    assert wire is not None
    assert wire.value == pytest.approx(torus.wall, abs=0.01)
    assert walls_of(Scene(*band(17.0, 0.8, 6.0))).wire is None


def test_a_surface_that_crosses_itself_has_no_volume() -> None:
    angles = np.arange(64) * 2 * math.pi / 64
    spindle = cad_shapes.revolved(np.column_stack([1.0 + 1.5 * np.cos(angles), 1.5 * np.sin(angles)]) * 3.0, 90)
    crossings = self_intersections(*spindle)
    assert crossings.faces > 100
    assert crossings.place is not None
    found = measured(spindle)
    assert (fact(found, "volume").value, fact(found, "volume").reason) == (None, "self_intersecting")
    assert fact(found, "wall_min").value is None
    assert found.verdicts == {"printable": "fail", "castable": "unknown", "wearable": "unknown"}


@pytest.mark.parametrize("mesh", [band(17.35, 1.5, 4.0), box(5.0)], ids=["band", "box"])
def test_a_sound_surface_crosses_itself_nowhere(mesh: Mesh) -> None:
    assert self_intersections(*mesh).faces == 0


def test_a_ring_in_any_pose_keeps_its_bore_axis_and_shank() -> None:
    dice = np.random.default_rng(11)
    for _ in range(4):
        points, faces = band(16.51, 1.6, 3.0)
        turn, _ = np.linalg.qr(dice.normal(size=(3, 3)))
        placed = points @ turn.T + dice.uniform(-30, 30, 3)
        bore = find_bore(placed, faces)
        assert bore is not None
        assert bore.diameter == pytest.approx(16.51, abs=0.01)
        assert abs(np.array(bore.axis) @ turn[:, 2]) == pytest.approx(1.0, abs=1e-4)
        around = cuts(placed, faces, bore, np.empty((0, 3)))
        assert [cut.angle for cut in around] == [0, 90, 180, 270]
        for cut in around:
            assert cut.thickness == pytest.approx(1.6, abs=0.01)
            assert cut.width == pytest.approx(3.0, abs=0.01)


def test_limits_are_judged_with_place_source_and_three_verdicts() -> None:
    found = measured(band(16.51, 0.6, 4.0), rules=RULES)
    thin = next(item for item in found.findings if item.rule == "wall")
    assert thin.measured == pytest.approx(0.6, abs=0.01)
    assert (thin.limit, thin.unit, thin.verdict, thin.rule_source) == (0.8, "mm", "castable", "us")
    assert thin.place is not None
    assert math.hypot(thin.place[0], thin.place[1]) == pytest.approx(16.51 / 2 + 0.3, abs=0.05)
    shank = next(item for item in found.findings if item.rule == "shank")
    assert shank.rule_source == "us (2026)"
    assert found.verdicts == {"printable": "pass", "castable": "review", "wearable": "review"}
    assert measured(band(16.51, 2.0, 4.0), rules=RULES).verdicts["castable"] == "pass"


def test_a_wall_that_only_its_facets_make_thin_is_not_found_fault_with() -> None:
    found = measured(band(16.51, 0.795, 4.0), rules=RULES)
    assert not [item for item in found.findings if item.rule == "wall"]


def test_an_open_mesh_has_no_wall_no_weight_and_no_verdict_but_one() -> None:
    points, faces = box(8.0)
    found = measured((points, faces[:-1]), rules=RULES)
    for name in ("volume", "weight_18k_yellow", "wall_min", "gap_min"):
        assert (fact(found, name).value, fact(found, name).reason) == (None, "open_mesh")
    assert found.verdicts == {"printable": "fail", "castable": "unknown", "wearable": "unknown"}


def test_a_person_decides_what_is_metal_and_what_is_left_out() -> None:
    gem = cad_shapes.brilliant(5.0, np.array([0.0, 0.0, 20.0]), girdle=16)
    ring = band(17.0, 1.5, 4.0)
    by_shape = measured(ring, gem)
    assert [(body.index, body.kind) for body in by_shape.bodies] == [(0, "metal"), (1, "stone")]
    assert by_shape.stone_sizes[0].place == pytest.approx((0.0, 0.0, 20.0), abs=2.0)
    ruby = measured(ring, gem, roles={"1": "stone:ruby"})
    assert ruby.stone_sizes[0].species == "ruby"
    assert ruby.stone_sizes[0].carat > by_shape.stone_sizes[0].carat
    as_metal = measured(ring, gem, roles={"1": "metal"})
    assert fact(as_metal, "stone_count").value == 0
    assert fact(as_metal, "pieces").value == 2
    without = measured(ring, gem, roles={"1": "ignore"})
    assert fact(without, "volume").value == fact(by_shape, "volume").value
    assert without.bodies[1].kind == "ignore"


def test_surfaces_of_one_body_have_numbers_of_their_own() -> None:
    found = measured(joined(box(4.0), box(3.0, at=(6.0, 0.0, 0.0))), box(2.0, at=(12.0, 0.0, 0.0)))
    assert [body.index for body in found.bodies] == [0, 1, 2]
    assert [round(body.volume or 0) for body in found.bodies] == [64, 8, 27]


def test_an_exact_volume_takes_the_place_of_that_of_the_triangles() -> None:
    found = measured(box(5.0), exact=125.25)
    assert fact(found, "volume").value == 125.25
    assert found.exact
    assert not measured(box(5.0)).exact


def test_weights_are_those_of_the_table_with_the_loss_of_finishing() -> None:
    own = {"code": "18k_yellow", "density": 15.4, "low": 15.3, "high": 15.5, "source": "own density", "date": ""}
    found = measured(box(10.0), alloys=[own])
    weight = fact(found, "weight_18k_yellow")
    assert weight.value == pytest.approx(15.4)
    assert weight.low == pytest.approx(15.3 * 0.88, abs=0.001)
    assert weight.high == pytest.approx(15.5 * 0.95, abs=0.001)
    assert [item.name for item in found.facts if item.name.startswith("weight_")] == ["weight_18k_yellow"]


@pytest.mark.parametrize(
    ("shape", "sides", "carat"),
    [("round", (6.11, 6.05, 3.63), 0.82), ("round", (7.17, 7.02, 4.47), 1.37), ("emerald", (6.9, 5.0, 3.2), 1.0)],
)
def test_carats_agree_with_published_stones(shape: str, sides: tuple[float, float, float], carat: float) -> None:
    assert carats(shape, *sides, "diamond") == pytest.approx(carat, rel=0.02)


def test_the_owners_view_has_true_millimeters_and_a_wall_at_every_point(tmp_path: Path) -> None:
    found = measured(band(17.0, 1.5, 4.0), cad_shapes.brilliant(5.0, np.array([0.0, 0.0, 20.0]), girdle=16))
    made = write_studio(found.metal, found.stones, found.walls, tmp_path / "studio.glb", z_up=True)
    data = (tmp_path / "studio.glb").read_bytes()
    assert len(data) == made.bytes
    length = struct.unpack("<I", data[12:16])[0]
    document = json.loads(data[20 : 20 + length])
    assert [node["name"] for node in document["nodes"]] == ["body-0", "body-1"]
    attributes = document["meshes"][0]["primitives"][0]["attributes"]
    position = document["accessors"][attributes["POSITION"]]
    assert position["max"][2] - position["min"][2] == pytest.approx(4.0, abs=1e-4)
    accessor = document["accessors"][attributes["_WALL"]]
    start = 28 + length + document["bufferViews"][accessor["bufferView"]]["byteOffset"]
    walls = np.frombuffer(data, "<f4", accessor["count"], start)
    assert np.isfinite(walls).all()
    assert set(np.round(walls, 1).tolist()) <= {1.5, 4.0, -1.0}
