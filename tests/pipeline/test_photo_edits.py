"""Edits of photos: each does what it says, nothing more, and says what it did to color."""

import itertools
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from pydantic import ValidationError

from ai_pipeline.imaging import adjust
from ai_pipeline.imaging.color import delta_e, lab, pixels_of
from ai_pipeline.imaging.matting import alpha_at, find_piece
from ai_pipeline.imaging.report import EditReport
from ai_pipeline.imaging.stack import COLOR_LIMIT, KINDS, Crop, Stack
from ai_pipeline.intake import edit_photo, propose_edits
from tests.pipeline import photos

#: Pairs and differences published by Sharma, Wu and Dalal (2005), table 1.
PUBLISHED = [
    ((50.0, 2.6772, -79.7751), (50.0, 0.0, -82.7485), 2.0425),
    ((50.0, 3.1571, -77.2803), (50.0, 0.0, -82.7485), 2.8615),
    ((50.0, -1.0, 2.0), (50.0, 0.0, 0.0), 2.3669),
    ((50.0, 2.49, -0.001), (50.0, -2.49, 0.0011), 7.2195),
    ((50.0, 2.5, 0.0), (50.0, 0.0, -2.5), 4.3065),
    ((50.0, 2.5, 0.0), (73.0, 25.0, -18.0), 27.1492),
    ((60.2574, -34.0099, 36.2677), (60.4626, -34.1751, 39.4387), 1.2644),
    ((6.7747, -0.2908, -2.4247), (5.8714, -0.0985, -2.2286), 0.6377),
    ((2.0776, 0.0795, -1.135), (0.9033, -0.0636, -0.5514), 0.9082),
]


def steps(*given: dict[str, object]) -> Stack:
    return Stack.model_validate({"steps": list(given)})


def edited(image: Image.Image, tmp_path: Path, stack: Stack, name: str = "in.png") -> tuple[EditReport, Image.Image]:
    """(report, the largest WebP) of an edit in the child."""
    image.save(tmp_path / name)
    out = tmp_path / "out"
    out.mkdir(exist_ok=True)
    report = edit_photo(tmp_path / name, filename=name, declared_type="image/png", out_dir=out, stack=stack)
    best = max((d for d in report.derivatives if d.media_type == "image/webp"), key=lambda d: d.width)
    with Image.open(out / best.name) as found:
        found.load()
        return report, found.copy()


@pytest.mark.parametrize(("first", "second", "published"), PUBLISHED)
def test_color_differences_are_those_of_the_published_table(
    first: tuple[float, ...], second: tuple[float, ...], published: float
) -> None:
    pair = np.array([first, second], np.float32)
    assert float(delta_e(pair[0], pair[1])) == pytest.approx(published, abs=2e-3)
    assert float(delta_e(pair[1], pair[0])) == pytest.approx(published, abs=2e-3)


def test_lab_and_back_keeps_every_byte_of_a_wide_sample() -> None:
    sample = np.array(list(itertools.product(range(0, 256, 15), repeat=3)), np.uint8)
    assert np.abs(pixels_of(lab(sample)).astype(int) - sample).max() <= 1


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("ground", [(236, 236, 236), (250, 247, 240), (40, 42, 48), (150, 170, 190)])
def test_a_piece_on_an_even_ground_is_found_with_its_opening(ground: tuple[int, int, int], seed: int) -> None:
    shot = photos.ring(ground=ground, seed=seed, at=(0.45 + 0.03 * seed, 0.5))
    matte = find_piece(shot.image)
    assert matte.sure
    assert photos.overlap(alpha_at(shot.image, matte), shot.truth) > 0.95


@pytest.mark.parametrize("case", ["clutter", "its own color", "nothing there"])
def test_a_doubtful_piece_is_called_doubtful(case: str) -> None:
    if case == "clutter":
        image = photos.ring(clutter=True).image
    elif case == "its own color":
        image = photos.ring(ground=(200, 168, 100), metal=(205, 172, 104), grain=6).image
    else:
        image = Image.new("RGB", (900, 900), (235, 235, 235))
    assert not find_piece(image).sure


def test_the_ground_becomes_white_and_the_piece_keeps_its_color(tmp_path: Path) -> None:
    shot = photos.ring(ground=(225, 228, 232))
    report, result = edited(shot.image, tmp_path, steps({"kind": "background", "ground": "white"}))
    pixels = np.asarray(result.convert("RGB")).astype(int)
    truth = np.asarray(Image.fromarray(shot.truth).resize(result.size))
    outside, inside = truth < 0.01, truth > 0.99
    assert (pixels[outside].min(axis=-1) >= 250).mean() > 0.985
    assert report.color.over == "piece"
    assert report.color.moved < 1.0
    before = np.asarray(shot.image.resize(result.size)).astype(int)
    assert np.median(np.abs(pixels - before)[inside]) <= 3  # what WebP itself loses
    assert not report.warnings


def test_a_transparent_ground_stays_transparent_where_the_format_can(tmp_path: Path) -> None:
    report, result = edited(photos.ring().image, tmp_path, steps({"kind": "background", "ground": "transparent"}))
    assert result.mode == "RGBA"
    assert result.getchannel("A").getpixel((3, 3)) == 0
    assert {d.media_type for d in report.derivatives} == {"image/avif", "image/webp", "image/jpeg"}


def test_a_doubtful_cut_out_says_so(tmp_path: Path) -> None:
    shot = photos.ring(clutter=True)
    report, _ = edited(shot.image, tmp_path, steps({"kind": "background"}))
    assert [note.code for note in report.warnings] == ["edge_unsure"]
    assert report.confidence is not None
    assert report.confidence < 0.6


def test_white_balance_undoes_the_color_of_a_lamp(tmp_path: Path) -> None:
    lamp = (1.0, 0.95, 0.86)
    shot, lit = photos.ring(light=(0.937, 0.937, 0.937)), photos.ring(light=lamp)
    pixel = np.asarray(lit.image)[40:80, 40:80].reshape(-1, 3)
    warmth, tint = adjust.shades_for(adjust.mean_light(pixel))
    given = {"kind": "white_balance", "warmth": round(warmth, 1), "tint": round(tint, 1)}
    report, result = edited(lit.image, tmp_path, steps(given))
    ground = np.asarray(result.convert("RGB"))[40:80, 40:80].reshape(-1, 3).astype(int)
    assert np.ptp(ground.mean(axis=0)) < 2.5
    truth = lab(np.asarray(shot.image.resize(result.size)))
    inside = np.asarray(Image.fromarray(shot.truth).resize(result.size)) > 0.99
    as_shot, mended = (lab(np.asarray(image.convert("RGB").resize(result.size))) for image in (lit.image, result))
    # The hue comes back: that of a gray lamp of as much light.
    hue = [np.abs((image - truth)[inside][:, 1:]).mean() for image in (as_shot, mended)]
    assert hue[1] < 0.65 * hue[0]
    assert report.color.exceeds
    assert report.steps[0].moved == report.color.moved


def test_exposure_moves_light_by_stops_and_holds_highlights_back() -> None:
    gray = Image.new("RGB", (8, 8), (100, 100, 100))
    lighter = adjust.tone(gray, (1.0, 1.0, 1.0), 1.0).getpixel((0, 0))
    assert lighter == (138, 138, 138)  # twice the light of 100 in sRGB
    bright = adjust.tone(Image.new("RGB", (8, 8), (240, 220, 200)), (1.0, 1.0, 1.0), 1.0).getpixel((0, 0))
    assert bright[0] > bright[1] > bright[2]
    assert adjust.tone(gray, (1.0, 1.0, 1.0), 0.0).getpixel((0, 0)) == (100, 100, 100)


def test_a_colored_step_beyond_the_limit_is_flagged_and_a_small_one_is_not(tmp_path: Path) -> None:
    shot = photos.ring()
    strong, _ = edited(shot.image, tmp_path, steps({"kind": "exposure", "stops": 0.6}))
    weak, _ = edited(shot.image, tmp_path, steps({"kind": "exposure", "stops": 0.05}))
    assert strong.color.moved > COLOR_LIMIT > weak.color.moved > 0
    assert (strong.color.exceeds, weak.color.exceeds) == (True, False)


def test_dust_goes_from_the_ground_and_nothing_goes_from_the_piece(tmp_path: Path) -> None:
    shot = photos.ring()
    pixels = np.asarray(shot.image).copy()
    clean = pixels.copy()
    places = [(80, 90), (700, 150), (120, 1050), (780, 1000), (450, 140)]
    for y, x in places:
        pixels[y : y + 3, x : x + 3] = 60
    inner = (int(450 - 0.235 * 900), 600)  # on the band
    pixels[inner[0] : inner[0] + 3, inner[1] : inner[1] + 3] = 60
    report, result = edited(Image.fromarray(pixels), tmp_path, steps({"kind": "dust", "strength": 60}))
    assert report.steps[0].count == len(places)
    after = np.asarray(result.convert("RGB").resize((1200, 900)))
    for y, x in places:
        assert np.abs(after[y + 1, x + 1].astype(int) - clean[y + 1, x + 1]).max() < 12
    assert after[inner[0] + 1, inner[1] + 1].max() < 110


@pytest.mark.parametrize("angle", [-7.0, 4.0])
def test_straighten_turns_a_picture_back_and_leaves_no_empty_corner(angle: float) -> None:
    bars = np.zeros((600, 900, 3), np.uint8) + 200
    bars[:, 440:460] = (180, 120, 40)
    tilted = Image.fromarray(bars).rotate(angle, Image.Resampling.BICUBIC, fillcolor=(200, 200, 200))
    mended = np.asarray(adjust.straighten(tilted, angle)).astype(int)
    assert mended.sum(axis=-1).min() > 150
    bar = mended[..., 2] < 120
    columns = [float(np.flatnonzero(row).mean()) for row in bar[5:-5] if row.any()]
    assert max(columns) - min(columns) < 2.5


@pytest.mark.parametrize("shape", ["4:5", "1:1", "3:2"])
@pytest.mark.parametrize("place", [(0.0, 0.0), (0.5, 0.5), (1.0, 1.0)])
def test_a_frame_has_its_shape_and_stays_within_the_picture(shape: str, place: tuple[float, float]) -> None:
    crop = Crop(shape=shape, x=place[0], y=place[1], size=0.6)  # type: ignore[arg-type]
    left, top, right, bottom = adjust.crop_box((1234, 777), crop)
    assert 0 <= left < right <= 1234
    assert 0 <= top < bottom <= 777
    wanted = {"4:5": 0.8, "1:1": 1.0, "3:2": 1.5}[shape]
    assert (right - left) / (bottom - top) == pytest.approx(wanted, abs=0.01)


@pytest.mark.parametrize(
    "bad",
    [
        {"kind": "exposure", "stops": 9},
        {"kind": "exposure", "stops": float("nan")},
        {"kind": "crop", "shape": "7:1"},
        {"kind": "heal"},
        {"kind": "straighten", "angle": 3, "script": "x"},
    ],
)
def test_a_step_that_is_no_step_is_refused(bad: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        steps(bad)


def test_the_result_does_not_hang_on_the_order_steps_were_added_in() -> None:
    given: list[dict[str, object]] = [
        {"kind": "background"},
        {"kind": "crop"},
        {"kind": "exposure", "stops": 0.1},
        {"kind": "dust"},
    ]
    stacks = {tuple(s.kind for s in steps(*order).steps) for order in itertools.permutations(given)}
    assert stacks == {tuple(k for k in KINDS if k in {"background", "crop", "exposure", "dust"})}
    with pytest.raises(ValidationError):
        steps({"kind": "dust"}, {"kind": "dust"})


def test_a_proposal_levels_balances_and_frames_without_moving_color_too_far(tmp_path: Path) -> None:
    shot = photos.ring((1600, 1200), light=(0.80, 0.77, 0.70), at=(0.36, 0.44))
    shot.image.save(tmp_path / "in.png")
    found = propose_edits(tmp_path / "in.png", filename="in.png", declared_type="", out_dir=tmp_path)
    kinds = [step["kind"] for step in found.steps]
    assert "crop" in kinds
    assert {"white_balance", "exposure"} & set(kinds)
    report, result = edited(shot.image, tmp_path, Stack.model_validate({"steps": found.steps}))
    assert not report.color.exceeds
    assert result.width / result.height == pytest.approx(0.8, abs=0.01)
    box = find_piece(result).box()
    assert box is not None
    assert abs(box[0] - (1 - box[2])) < 0.06
    assert min(box[0], box[1], 1 - box[2], 1 - box[3]) > 0.02


def test_nothing_is_proposed_where_the_piece_cannot_be_found(tmp_path: Path) -> None:
    photos.ring(clutter=True).image.save(tmp_path / "in.png")
    found = propose_edits(tmp_path / "in.png", filename="in.png", declared_type="", out_dir=tmp_path)
    assert found.steps == []
    assert [note.code for note in found.notes] == ["piece_not_found"]


def test_the_original_is_not_touched(tmp_path: Path) -> None:
    photos.ring().image.save(tmp_path / "keep.png")
    before = (tmp_path / "keep.png").read_bytes()
    out = tmp_path / "out"
    out.mkdir()
    stack = steps({"kind": "exposure", "stops": 0.2}, {"kind": "background"})
    edit_photo(tmp_path / "keep.png", filename="keep.png", declared_type="", out_dir=out, stack=stack)
    assert (tmp_path / "keep.png").read_bytes() == before
