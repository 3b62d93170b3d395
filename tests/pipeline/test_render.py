"""The studio renders true colors, true geometry and a grounded piece."""

from pathlib import Path

import numpy as np
import pytest
import trimesh
from PIL import Image

from ai_pipeline.cad.models import PIECES, gems
from ai_pipeline.cad.models.bands import CourtBand
from ai_pipeline.cad.models.rings import Solitaire
from ai_pipeline.cad.render import SHOTS, RenderedView, render_views, stage
from ai_pipeline.cad.studio import placing
from ai_pipeline.cad.studio.camera import framed
from ai_pipeline.cad.studio.lights import Lighting
from ai_pipeline.cad.studio.materials import ALLOYS, alloy, stone
from ai_pipeline.cad.studio.posing import upright
from ai_pipeline.cad.studio.shading import corner_normals
from ai_pipeline.cad.studio.tracer import Tracer, fresnel, refract
from ai_pipeline.cad.studio.world import Part, World

BAND = CourtBand().build()


def draft(folder: Path, alloy_name: str, views: tuple[str, ...] = ("hero",)) -> list[RenderedView]:
    return render_views(BAND.metal, [], folder, alloy=alloy_name, size=160, views=views, quality="draft", suffix=".png")


def pixels(view: RenderedView) -> np.ndarray:
    with Image.open(view.path) as image:
        return np.asarray(image, np.float64) / 255


def test_views_come_back_in_order_at_their_sizes(tmp_path: Path) -> None:
    seen: list[float] = []
    views = render_views(
        BAND.metal, [], tmp_path, size=120, views=("hero", "top"), quality="draft", progress=seen.append
    )
    assert [v.name for v in views] == ["hero", "top"]
    assert [(v.width, v.height) for v in views] == [(120, 120), (90, 90)]
    for view in views:
        with Image.open(view.path) as image:
            assert (image.format, image.size) == ("WEBP", (view.width, view.height))
    assert seen == sorted(seen)
    assert seen[-1] == 1.0


def test_yellow_gold_is_yellow_rose_is_pinker_and_silver_is_neutral(tmp_path: Path) -> None:
    means = {}
    for name in ("18k_yellow", "18k_rose", "silver"):
        image = pixels(draft(tmp_path / name, name)[0])
        piece = np.abs(image - image[4, 4]).sum(-1) > 0.25
        means[name] = image[piece].mean(0)
    red, green, blue = means["18k_yellow"]
    assert red > green > blue + 0.08
    rose = means["18k_rose"]
    assert rose[0] - rose[1] > red - green
    assert np.ptp(means["silver"]) < 0.06


def test_backdrop_is_ivory_and_darker_where_the_ring_stands(tmp_path: Path) -> None:
    image = pixels(draft(tmp_path, "platinum")[0])
    corner = image[3, 3]
    assert corner.min() > 0.85
    assert corner[0] >= corner[2]
    below = image[140:152, 60:100].mean()
    assert below < image[3:15, 60:100].mean() - 0.02


def test_the_same_piece_gives_the_same_picture(tmp_path: Path) -> None:
    first = pixels(draft(tmp_path / "a", "18k_white")[0])
    second = pixels(draft(tmp_path / "b", "18k_white")[0])
    assert np.array_equal(first, second)


def test_a_sapphire_is_blue_and_a_diamond_is_not(tmp_path: Path) -> None:
    tints = {}
    for species in ("sapphire", "diamond"):
        piece = Solitaire(species=species).build()
        view = render_views(
            piece.metal, piece.stones, tmp_path / species, alloy="platinum", size=160, views=("top",), quality="draft",
            suffix=".png", pose="standing",
        )[0]  # fmt: skip
        image = pixels(view)
        tints[species] = (image[..., 2] - image[..., 0]).max()
    assert tints["sapphire"] > 0.25
    assert tints["diamond"] < tints["sapphire"] - 0.1


def test_unknown_alloy_and_unknown_view_are_refused(tmp_path: Path) -> None:
    with pytest.raises(KeyError):
        render_views(BAND.metal, [], tmp_path, alloy="unobtainium")
    with pytest.raises(KeyError):
        render_views(BAND.metal, [], tmp_path, views=("underneath",), quality="draft")


def test_a_mesh_without_triangles_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="no triangles"):
        render_views(trimesh.Trimesh(), [], tmp_path)


def test_every_pose_has_every_view() -> None:
    names = {frozenset(shots) for shots in SHOTS.values()}
    assert names == {frozenset({"hero", "front", "side", "top", "detail"})}
    assert {d.pose for d in PIECES.values()} <= set(SHOTS)


@pytest.mark.parametrize("axis", [(1.0, 0.2, 0.1), (0.0, 1.0, 1.0), (0.3, -1.0, 0.6)])
def test_a_ring_from_anywhere_is_stood_up_with_its_head_on_top(axis: tuple[float, float, float]) -> None:
    piece = Solitaire().build()
    away = placing.moved(placing.turned(117, axis), (40, -3, 12))
    metal = piece.metal.copy().apply_transform(away)
    turn, pose = upright(metal, [s.moved(away).mesh for s in piece.stones])
    assert pose == "standing"
    assert np.linalg.det(turn[:3, :3]) == pytest.approx(1.0)
    finger = turn[:3, :3] @ away[:3, :3] @ [0, 1, 0]
    head = turn[:3, :3] @ away[:3, :3] @ [0, 0, 1]
    assert abs(finger[1]) > 0.99
    assert head[2] > 0.98


def test_a_bangle_is_laid_down_and_a_pendant_hung_up() -> None:
    assert upright(PIECES["orb-torque"].build().metal, [])[1] == "lying"
    disc = PIECES["sunburst-disc"].build()
    turn, pose = upright(disc.metal, [s.mesh for s in disc.stones])
    assert pose == "hanging"
    assert turn[:3, :3] @ [0, 0, 1] == pytest.approx([0, 0, 1], abs=0.05)


def test_a_pair_shows_two_earrings() -> None:
    piece = PIECES["claw-studs"].build()
    scene = stage(piece.metal, piece.stones, alloy="platinum", pose="pair")
    assert len(scene.world.kind) == 4


def test_smoothing_keeps_the_edges_of_a_cube_and_rounds_a_sphere() -> None:
    cube = trimesh.creation.box((2, 2, 2))
    assert np.allclose(corner_normals(cube), cube.face_normals[:, None], atol=1e-6)
    ball = trimesh.creation.icosphere(subdivisions=3)
    truth = ball.vertices[ball.faces]
    assert np.einsum("ijk,ijk->ij", corner_normals(ball), truth).min() > 0.999


def test_fresnel_meets_the_textbook_and_total_reflection_begins_at_the_critical_angle() -> None:
    eta = np.full(3, 1 / 2.4175, np.float32)
    normal_incidence = ((2.4175 - 1) / (2.4175 + 1)) ** 2
    assert fresnel(np.ones(3, np.float32), eta)[0] == pytest.approx(normal_incidence, rel=1e-4)
    critical = np.arcsin(1 / 2.4175)
    cos = np.cos(np.array([critical - 0.02, critical + 0.02], np.float32))
    leaving = fresnel(cos.astype(np.float32), np.full(2, 2.4175, np.float32))
    assert leaving[0] < 1
    assert leaving[1] == 1


def test_refraction_obeys_snell() -> None:
    angle = np.radians(40)
    ray = np.array([[np.sin(angle), 0, -np.cos(angle)]], np.float32)
    bent, through = refract(ray, np.array([[0, 0, 1]], np.float32), np.array([1 / 1.5], np.float32))
    assert through.all()
    assert np.linalg.norm(bent[0]) == pytest.approx(1, abs=1e-5)
    assert bent[0, 0] * 1.5 == pytest.approx(np.sin(angle), abs=1e-5)


def test_light_maps_find_the_direction_they_were_painted_for() -> None:
    lights = Lighting(size=256)
    up, down = np.array([[0, 0, 1]], np.float32), np.array([[0, 0, -1]], np.float32)
    assert lights.soft[lights.index(up)][0] > 5 * lights.soft[lights.index(down)][0]


def test_a_mirror_returns_the_light_in_the_color_of_the_metal() -> None:
    plate = trimesh.creation.box((20, 20, 1))
    tracer = Tracer(World([Part(plate, alloy("18k_yellow"))]), Lighting(size=256), np.eye(3, dtype=np.float32), None)
    down = np.array([[0, 0.05, -1]], np.float32) / np.float32(np.sqrt(1.0025))
    light, met = tracer.radiance(np.array([[0, 0, 10]], np.float32), down, np.random.default_rng(1))
    assert met.all()
    ratio = light[0] / light[0, 0]
    assert ratio == pytest.approx(np.array(ALLOYS["18k_yellow"]), rel=0.02)


def test_a_clear_stone_is_seen_through_and_an_absorbing_one_dims() -> None:
    cut = gems.cut("round", "diamond", 6.5)
    levels = {}
    for species in ("diamond", "garnet"):
        tracer = Tracer(
            World([Part(cut.mesh, stone(species), True)]), Lighting(size=256), np.eye(3, dtype=np.float32), None
        )
        grid = np.stack(np.meshgrid(np.linspace(-2, 2, 24), np.linspace(-2, 2, 24)), -1).reshape(-1, 2)
        origins = np.c_[grid, np.full(len(grid), 9.0)].astype(np.float32)
        directions = np.tile(np.array([[0, 0, -1]], np.float32), (len(grid), 1))
        levels[species] = tracer.radiance(origins, directions, np.random.default_rng(2))[0].mean(0)
    assert levels["diamond"].min() > 0.1
    assert levels["garnet"][1] < 0.6 * levels["diamond"][1]


def test_framing_fills_the_asked_share_of_the_picture() -> None:
    points = np.asarray(BAND.metal.vertices)
    camera = framed(points, 30, 20, (400, 500), fill=0.7)
    where = camera.project(points)
    span = np.ptp(where, axis=0)
    assert max(span[0] / 400, span[1] / 500) == pytest.approx(0.7, abs=0.01)
    assert (where.min(0) + where.max(0)) / 2 == pytest.approx([200, 250], abs=1)
