"""Copies of CAD files: what a mark changes, what it survives, and that nobody is named wrongly."""

import os
import struct
import sys
from pathlib import Path

import numpy as np
import pytest
import rhino3dm
from scipy.spatial import cKDTree

from ai_pipeline.cad.fingerprint import tasks
from ai_pipeline.cad.fingerprint.code import directions, siphash
from ai_pipeline.cad.fingerprint.compare import decided, order_chance, rising_row
from ai_pipeline.cad.fingerprint.report import Comparison
from ai_pipeline.cad.mesh import edges, volume, weld
from ai_pipeline.copies import compare_suspect, copy_cad, describe_suspect
from ai_pipeline.errors import Unreadable
from bench.trace import Original, key_of, manipulations, prepare, ring, trace
from marketplace.manufacturing.tracing import CERTAIN
from tests.pipeline import reexport
from tests.pipeline.shapes import Mesh, band, box, joined, write_obj, write_stl

DATA = Path(os.environ.get("TOUCHSTONE_DATA") or Path(__file__).resolve().parents[3] / "shared" / "data") / "cad"
KEY = key_of("a copy")
TAG = "0123456789abcdef" * 2
COPIES, DESIGNS = 60, 6
needs_data = pytest.mark.skipif(not DATA.is_dir(), reason="the folder of real CAD files is not here")


def test_siphash_gives_the_published_values() -> None:
    # Vectors of the reference implementation (SipHash-2-4, key 00..0f, messages 00 01 02 ...), 8 and 16 bytes.
    key = bytes(range(16))
    expected = {8: "6224939a79f5f593", 16: "db9bc2577fcc2a3f"}
    for length, wanted in expected.items():
        words = np.frombuffer(bytes(range(length)), "<u8").reshape(1, -1)
        got = int(siphash(key, words)[0]).to_bytes(8, "little").hex()
        assert got == wanted


def test_directions_are_even_over_the_sphere() -> None:
    drawn = directions(KEY, np.arange(30_000, dtype=np.int64).reshape(-1, 3))
    assert np.allclose(np.linalg.norm(drawn, axis=1), 1.0)
    assert np.abs(drawn.mean(axis=0)).max() < 0.03
    assert np.allclose((drawn**2).mean(axis=0), 1 / 3, atol=0.02)
    assert not np.allclose(drawn, directions(key_of("another"), np.arange(30_000, dtype=np.int64).reshape(-1, 3)))


def _comparison(suspect: Path, original: Path, keys: dict[str, bytes], folder: Path, scale: float = 1.0) -> Comparison:
    folder.mkdir()
    (folder / "suspect").write_bytes(suspect.read_bytes())
    (folder / "original").write_bytes(original.read_bytes())
    pairs = {
        "suspect": suspect.name,
        "original": original.name,
        "scale": scale,
        "keys": {name: key.hex() for name, key in keys.items()},
    }
    return tasks.compare_files(str(folder), pairs)


def _named(found: Comparison) -> str | None:
    if not found.suspicions or decided(found.suspicions[0].log_chance, found.comparisons) > CERTAIN:
        return None
    return found.suspicions[0].copy_id


def _copy(original: Path, out: Path, key: bytes = KEY) -> Path:
    out.mkdir(exist_ok=True)
    tasks.make_copy(str(original), str(out), original.name, key.hex(), TAG)
    made = out / f"copy{original.suffix}"
    (out / "copy").rename(made)
    return made


@pytest.mark.parametrize("kind", ["stl", "obj", "ply", "3mf", "glb"])
def test_a_copy_differs_by_less_than_a_micrometer_and_keeps_volume_topology_and_size(kind: str, tmp_path: Path) -> None:
    mesh = joined(band(16.5, 1.8, 4.0, 400), box(2.0, (0.0, 0.0, 9.0)))
    original = reexport.WRITERS[kind](mesh, tmp_path / f"ring.{kind}")
    report = tasks.make_copy(str(original), str(tmp_path), original.name, KEY.hex(), TAG)
    assert report.level == "geometry"
    assert 0.5 < report.moved_um < 1.1
    assert report.volume_change < 1e-6
    before, after = (reexport.mesh_of(path, kind.upper()) for path in (original, tmp_path / "copy"))
    assert abs(volume(*after) / volume(*before) - 1.0) < 1e-5
    points, faces, _, _ = weld(*after)
    assert edges(faces, len(points)).open == 0
    assert (len(points), len(faces)) == (len(weld(*before)[0]), len(before[1]))
    # Only 3MF is packed, and only its list of facets packs worse when mixed.
    assert report.bytes < 1.6 * original.stat().st_size


def test_text_files_keep_what_is_not_geometry(tmp_path: Path) -> None:
    text = write_obj({"shank": band(16, 1.5, 3, 90)}, tmp_path / "plain.obj").read_text()
    text = "# by the studio\nmtllib house.mtl\n" + text.replace("o shank", "o shank\nusemtl gold")
    original = tmp_path / "ring.obj"
    original.write_text(text)
    made = _copy(original, tmp_path / "out").read_text().splitlines()
    lines = text.splitlines()
    assert [line for line in made if line[0] not in "vf"] == [line for line in lines if line[0] not in "vf"]
    assert len(made) == len(lines)
    assert sorted(line for line in made if line[0] == "f") == sorted(line for line in lines if line[0] == "f")

    facets = [
        f"facet normal 0 0 1\nouter loop\nvertex {x} 0 0\nvertex {x + 1} 0 0.5\nvertex {x} 1 0\nendloop\nendfacet"
        for x in range(0, 90, 3)
    ]
    ascii_stl = tmp_path / "two.stl"
    ascii_stl.write_text("\n".join(["solid a", *facets[:15], "endsolid a", "solid b", *facets[15:], "endsolid b", ""]))
    again = _copy(ascii_stl, tmp_path / "out2").read_text()
    assert again.split("endsolid a")[0].count("endfacet") == 15
    assert again.startswith("solid a\n")
    assert again.endswith("endsolid b\n")


def test_two_copies_differ_and_one_key_gives_the_same_bytes(tmp_path: Path) -> None:
    original = write_stl(ring(1, 600), tmp_path / "ring.stl")
    made = [_copy(original, tmp_path / str(n), key).read_bytes() for n, key in enumerate((KEY, KEY, key_of("b")))]
    assert made[0] == made[1]
    assert made[0] != made[2]
    assert made[0] != original.read_bytes()


def test_sixty_copies_are_named_after_everything_and_nobody_else_is(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    originals = prepare(tmp_path, DESIGNS, 700, COPIES, None)
    tried, named, wrong = 0, 0, 0
    for item in originals:
        for number, (copy, key) in enumerate(item.copies.items()):
            own = tmp_path / copy
            mesh = reexport.mesh_of(_copy(item.path, own, key), "STL")
            # Each copy meets three of the ten fates in turn; bench/trace.py gives all of them to a thousand.
            fates = manipulations(mesh, own, number)
            for _what, path in [fates[(3 * number + k) % len(fates)] for k in range(3)]:
                found, _, _ = trace(path, originals)
                tried += 1
                named += found == copy
                wrong += found not in (None, copy)
    with capsys.disabled():
        sys.stdout.write(
            f"\n  {named} of {tried} files made of {COPIES} copies named their copy, {wrong} a wrong one\n"
        )
    assert wrong == 0
    assert named >= 0.99 * tried


def _innocents(originals: list[Original], folder: Path) -> list[Path]:
    found = []
    for item in originals:
        found.append(_copy(item.path, folder / f"x{item.name}", key_of("a key that is not on file")))
        found.append(item.path)
        noisy: Mesh = reexport.mesh_of(item.path, "STL")
        dice = np.random.default_rng(3)
        shaken = (noisy[0] + dice.normal(scale=4e-4, size=noisy[0].shape), noisy[1])
        found.append(write_stl(shaken, folder / f"noise-{item.name}"))
    return found


def test_an_original_a_foreign_copy_and_noise_point_at_nobody(tmp_path: Path) -> None:
    originals = prepare(tmp_path, 3, 700, 60, None)
    for path in _innocents(originals, tmp_path):
        assert trace(path, originals)[0] is None, path.name


def test_parts_mirror_images_scales_and_coarse_text_are_still_named(tmp_path: Path) -> None:
    mesh = joined(ring(4, 900), box(3.0, (0.0, 0.0, 30.0)))
    original = write_stl(mesh, tmp_path / "ring.stl")
    keys = {"mine": KEY, **{str(n): key_of(str(n)) for n in range(30)}}
    points, faces = reexport.mesh_of(_copy(original, tmp_path / "out"), "STL")
    harmed: dict[str, Mesh] = {
        "mirrored": (points * (1, -1, 1), faces[:, ::-1]),
        "inches": (points / 25.4, faces),
        "shrinkage allowance": (points * 1.0175, faces),
        "three decimals": (np.round(points, 3), faces),
        "without the box": (points, faces[(points[faces][:, :, 2] < 20).all(axis=1)]),
        "half of the facets": (points, faces[: len(faces) // 2]),
    }
    for what, change in harmed.items():
        suspect = write_stl(change, tmp_path / f"{what.replace(' ', '-')}.stl")
        assert _named(_comparison(suspect, original, keys, tmp_path / f"against {what}")) == "mine", what


def test_two_copies_put_together_point_at_both(tmp_path: Path) -> None:
    original = write_stl(ring(5, 900), tmp_path / "ring.stl")
    one, two = (reexport.mesh_of(_copy(original, tmp_path / n, key_of(n)), "STL") for n in ("one", "two"))
    apart, partner = cKDTree(two[0]).query(one[0])
    assert apart.max() < 3e-3
    suspect = write_stl(((one[0] + two[0][partner]) / 2, one[1]), tmp_path / "mixed.stl")
    keys = {"one": key_of("one"), "two": key_of("two"), "three": key_of("three")}
    found = _comparison(suspect, original, keys, tmp_path / "against")
    sure = {s.copy_id for s in found.suspicions if decided(s.log_chance, found.comparisons) < CERTAIN}
    assert sure == {"one", "two"}


def test_a_mesh_too_small_for_a_mark_is_told_by_the_order_of_its_facets_or_not_at_all(tmp_path: Path) -> None:
    original = write_stl(box(10.0), tmp_path / "cube.stl")
    report = tasks.make_copy(str(original), str(tmp_path), original.name, KEY.hex(), TAG)
    assert report.level == "order"
    assert report.volume_change < 1e-5
    keys = {"mine": KEY, "other": key_of("other")}
    suspect = tmp_path / "suspect.stl"
    suspect.write_bytes((tmp_path / "copy").read_bytes())
    found = _comparison(suspect, original, keys, tmp_path / "a")
    assert {s.copy_id for s in found.suspicions if decided(s.log_chance, found.comparisons) < CERTAIN} <= {"mine"}
    mixed = write_stl(reexport.shuffled(reexport.mesh_of(suspect, "STL"), 3), tmp_path / "mixed.stl")
    assert _named(_comparison(mixed, original, keys, tmp_path / "b")) is None


def test_the_chance_of_a_rising_row_is_bounded() -> None:
    assert rising_row(np.array([3, 1, 2, 9, 4, 5], np.uint64)) == (4, 6)
    assert order_chance(1, 100) == 0.0
    # C(12, 12) / 12! = 1 / 479001600
    assert np.exp(order_chance(12, 12)) == pytest.approx(1 / 479001600)
    dice = np.random.default_rng(11)
    rows = [rising_row(dice.permutation(400).astype(np.uint64)) for _ in range(300)]
    assert min(order_chance(*row) for row in rows) > np.log(1e-3)


@needs_data
@pytest.mark.parametrize(
    "name", ["gt_solitaire_metal.step", "jewelbyte_ring.step", "gt_pave_blocks.3dm", "v5_extrusions.3dm"]
)
def test_step_and_3dm_carry_a_tag_and_an_order(name: str, tmp_path: Path) -> None:
    original = DATA / name
    report = copy_cad(original, filename=name, key=KEY, tag=TAG, out_dir=tmp_path)
    assert report.level == "structure"
    assert describe_suspect(tmp_path / "copy", filename=name, out_dir=tmp_path).tag == TAG
    assert describe_suspect(original, filename=name, out_dir=tmp_path).tag is None
    bare = tmp_path / f"bare{original.suffix}"
    bare.write_bytes((tmp_path / "copy").read_bytes().replace(TAG.encode(), b"0" * 32))
    found = _comparison(bare, original, {"mine": KEY, "other": key_of("other")}, tmp_path / "against")
    if report.shape.corners >= 16:
        assert _named(found) == "mine"
    assert _named(_comparison(original, original, {"mine": KEY}, tmp_path / "again")) is None


@needs_data
def test_a_marked_3dm_opens_in_the_library_of_its_makers_with_every_object(tmp_path: Path) -> None:
    for original in sorted(DATA.glob("*.3dm")):
        copy_cad(original, filename=original.name, key=KEY, tag=TAG, out_dir=tmp_path)
        before, after = (rhino3dm.File3dm.Read(str(path)) for path in (original, tmp_path / "copy"))
        ids = [sorted(str(item.Attributes.Id) for item in model.Objects) for model in (before, after)]
        assert ids[0] == ids[1]
        assert len(ids[0]) > 0


@needs_data
def test_real_mesh_files_of_every_format_are_copied_and_traced_in_the_child(tmp_path: Path) -> None:
    for original in sorted(p for p in DATA.iterdir() if p.suffix in (".stl", ".obj", ".ply", ".glb", ".3mf")):
        out = tmp_path / original.name
        out.mkdir()
        report = copy_cad(original, filename=original.name, key=KEY, tag=TAG, out_dir=out)
        assert report.level == "geometry", original.name
        assert report.moved_um < 2.0
        assert report.volume_change < 1e-5
        (out / "copy").rename(out / "suspect")
        (out / "original").write_bytes(original.read_bytes())
        found = compare_suspect(
            out,
            suspect=original.name,
            original=original.name,
            scale=report.scale,
            keys={"mine": KEY, "other": key_of("other")},
            out_dir=out,
        )
        assert _named(found) == "mine", original.name


def test_a_file_without_surface_is_refused(tmp_path: Path) -> None:
    empty = tmp_path / "none.stl"
    empty.write_bytes(bytes(80) + struct.pack("<I", 0))
    with pytest.raises(Unreadable):
        copy_cad(empty, filename="none.stl", key=KEY, tag=TAG, out_dir=tmp_path)
