"""The studio renders true colors, true geometry and a grounded piece."""

from pathlib import Path

import numpy as np
import pytest
import trimesh
from PIL import Image

from ai_pipeline.cad.alloys import ALLOYS as WEIGHED
from ai_pipeline.cad.gravity import SPECIFIC_GRAVITY
from ai_pipeline.cad.models import PIECES, gems
from ai_pipeline.cad.models.bands import CourtBand
from ai_pipeline.cad.models.rings import Solitaire
from ai_pipeline.cad.render import VIEWS, RenderedView, render_views
from ai_pipeline.cad.studio import placing
from ai_pipeline.cad.studio.camera import framed
from ai_pipeline.cad.studio.heat import STOPS, colors, thickness
from ai_pipeline.cad.studio.lights import Lighting
from ai_pipeline.cad.studio.looks import LOOKS, STONE
from ai_pipeline.cad.studio.materials import ALLOYS, STONES, alloy, finish_of, stone
from ai_pipeline.cad.studio.posing import upright
from ai_pipeline.cad.studio.recut import recut
from ai_pipeline.cad.studio.shading import corner_normals
from ai_pipeline.cad.studio.shots import SHOTS
from ai_pipeline.cad.studio.stage import apart, stage
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
    assert names == {frozenset(VIEWS) - {"scale", "heat", "exploded", "turntable"}}
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


def test_every_look_is_a_scene_of_its_own(tmp_path: Path) -> None:
    corners = {}
    for name, look in LOOKS.items():
        view = render_views(
            BAND.metal, [], tmp_path / name, size=96, views=("hero",), quality="draft", suffix=".png", look=look
        )[0]
        corners[name] = pixels(view)[2:8, 2:8].mean((0, 1))
    assert len(LOOKS) >= 3
    assert corners["white"].min() > 0.97
    assert corners["noir"].max() < 0.25
    assert corners["stone"][0] > corners["stone"][2] + 0.05


def test_the_sun_of_a_look_casts_a_shadow_with_an_edge(tmp_path: Path) -> None:
    view = render_views(
        BAND.metal, [], tmp_path, size=128, views=("top",), quality="draft", suffix=".png", look=STONE
    )[0]  # fmt: skip
    image = pixels(view).mean(-1)
    steps = np.abs(np.diff(image, axis=1))
    assert steps.max() > 0.15
    assert np.median(steps) < 0.03


def test_files_land_one_by_one_and_a_draft_comes_first(tmp_path: Path) -> None:
    heard: list[tuple[str, bool, bool]] = []
    views = render_views(
        BAND.metal, [], tmp_path, size=80, views=("hero", "exploded", "heat", "scale"), quality="draft",
        draft_first=True, landed=lambda v: heard.append((v.name, v.draft, v.path.is_file())),
    )  # fmt: skip
    assert heard == [("hero", True, True), ("hero", False, True), ("heat", False, True), ("scale", False, True)]
    assert [v.name for v in views] == ["hero", "heat", "scale"], "a piece without stones is not exploded"
    assert len({v.path for v in views}) == 3


def test_the_turntable_is_an_animation_that_turns(tmp_path: Path) -> None:
    piece = Solitaire().build()
    view = render_views(piece.metal, piece.stones, tmp_path, size=64, views=("turntable",), pose="standing")[0]
    with Image.open(view.path) as image:
        assert (image.format, getattr(image, "n_frames", 1), image.size) == ("WEBP", 24, (48, 48))
        frames = []
        for number in (0, 6, 12):
            image.seek(number)
            frames.append(np.asarray(image.convert("RGB"), np.float64))
    assert np.abs(frames[0] - frames[1]).mean() > 2
    assert np.abs(frames[0] - frames[2]).mean() > 1


def test_thickness_is_the_metal_behind_a_point_and_overlaps_count_once() -> None:
    plate = trimesh.creation.box((10, 10, 1.2))
    sunk = trimesh.creation.box((4, 4, 4)).apply_translation((0, 0, 1.6))
    world = World([Part(plate, alloy("silver")), Part(sunk, alloy("silver"))])
    tops = np.array([[4, 0.3, 0.6], [0.1, 0.2, 3.6]], np.float32)
    down = np.tile(np.array([[0, 0, -1]], np.float32), (2, 1))
    assert thickness(world, tops, down) == pytest.approx([1.2, 4.2], abs=0.005)
    slope = np.array([[-0.6, 0, -0.8]], np.float32)
    inside = thickness(World([Part(plate, alloy("silver"))]), np.array([[0, 0, 0.6]], np.float32), slope)
    assert inside == pytest.approx([1.5], abs=0.005)


def test_thin_is_red_thick_is_blue_and_unknown_is_grey() -> None:
    thin, thick, unknown = colors(np.array([0.2, 3.0, np.nan], np.float32))
    assert thin[0] > 5 * thin[2]
    assert thick[2] > 2 * thick[0]
    assert np.ptp(unknown) == 0
    assert [stop for stop, _ in STOPS] == sorted(stop for stop, _ in STOPS)


def test_exploding_lifts_every_stone_out_along_its_table() -> None:
    piece = Solitaire().build()
    scene = stage(piece.metal, piece.stones, alloy="platinum", pose="standing")
    lifted = apart(scene)
    before, after = (s.parts[1].mesh.bounds.mean(0) for s in (scene, lifted))
    assert after[2] > before[2] + 3
    assert np.abs((after - before)[:2]).max() < 0.05
    assert np.array_equal(scene.parts[0].mesh.vertices, lifted.parts[0].mesh.vertices)


def test_a_coarse_brilliant_is_shown_round_in_its_own_place_and_other_cuts_stay() -> None:
    angles = np.linspace(0, 2 * np.pi, 16, endpoint=False)
    ring = np.stack([np.cos(angles), np.sin(angles)], -1)
    rows = [(1.76, 1.1), (3.25, 0.1), (3.25, -0.1)]
    points = np.vstack([*(np.c_[ring * r, np.full(16, z)] for r, z in rows), [[0, 0, -2.75]]])
    coarse = trimesh.convex.convex_hull(points)
    away = placing.moved(placing.turned(140, (1.0, 0.4, 0.2)), (3, -2, 8))
    shown = recut(coarse.copy().apply_transform(away))
    assert len(shown.faces) > 3 * len(coarse.faces)
    assert shown.bounds == pytest.approx(coarse.copy().apply_transform(away).bounds, abs=0.12)
    step = gems.cut("emerald", "emerald", 7, 5).mesh
    assert recut(step) is step


def test_a_lens_blurs_what_is_far_from_its_focus_and_nothing_in_it() -> None:
    points = np.array([[0.0, 0.0, 0.0], [3.0, 10.0, 2.0]])
    camera = framed(points, 0, 0, (200, 200)).focused(points[:1], points, 0.05)
    assert camera.confusion(points) == pytest.approx(5.0, rel=0.01)
    near = camera.project(points)[0]
    spread = np.random.default_rng(1).random((64, 2), np.float32)
    at = np.tile(near.astype(np.float32), (64, 1))
    origins, directions = camera.rays(at[:, 0], at[:, 1], spread)
    assert np.ptp(origins, axis=0).max() > 0.01
    reach = -origins[:, 1:2] / directions[:, 1:2]
    assert origins + directions * reach == pytest.approx(np.zeros((64, 3)), abs=1e-3)


def test_small_colored_stones_are_cut_from_deeper_rough() -> None:
    assert stone("sapphire", 1.3).absorb[0] > 2 * stone("sapphire").absorb[0]
    assert stone("diamond", 1.3).absorb == (0, 0, 0)


def test_every_alloy_that_is_weighed_has_a_finish() -> None:
    assert {finish_of(code) for code in WEIGHED} <= set(ALLOYS)
    with pytest.raises(KeyError):
        finish_of("unobtainium")


def test_every_species_that_is_weighed_looks_like_itself() -> None:
    assert set(SPECIFIC_GRAVITY) <= set(STONES)
