"""CAD files: what is measured, what is not, and what the public gets to see."""

import json
import struct
from pathlib import Path

import pytest

from ai_pipeline.cad.precheck import EXTENSIONS
from ai_pipeline.cad.report import CadReport
from ai_pipeline.errors import Unreadable
from ai_pipeline.intake import inspect_cad
from tests.pipeline.shapes import Mesh, band, box, joined, turned, write_obj, write_stl


def measure(path: Path, out: Path, unit: str | None = None, declared: str = "") -> CadReport:
    return inspect_cad(path, filename=path.name, declared_type=declared, out_dir=out, unit=unit)


def value(report: CadReport, name: str) -> float:
    fact = report.fact(name)
    assert fact is not None, name
    assert isinstance(fact.value, int | float), (name, fact.reason)
    return float(fact.value)


def codes(report: CadReport) -> set[str]:
    return {item.code for item in report.findings}


def test_the_solitaire_weighs_what_its_exact_volume_weighs(data: Path, tmp_path: Path) -> None:
    truth = json.loads((data / "cad" / "truth.json").read_text())
    report = measure(data / "cad" / "gt_solitaire.obj", tmp_path)
    volume = truth["gt_solitaire_metal"]["volume"]
    assert value(report, "volume") == pytest.approx(volume, rel=1e-3)
    assert value(report, "weight_18k_yellow") == pytest.approx(volume / 1000 * 15.55, rel=1e-3)
    assert value(report, "weight_sterling") == pytest.approx(volume / 1000 * 10.36, rel=1e-3)
    assert value(report, "inner_diameter") == pytest.approx(16.51, abs=0.01)
    assert value(report, "ring_size_us") == 6
    assert value(report, "stone_count") == 1
    assert value(report, "stone_carat") == pytest.approx(truth["gt_solitaire_gem"]["ct"], rel=0.02)
    assert report.stones[0].shape == "round"


def test_the_pave_ring_has_seventeen_stones_once_its_unit_is_confirmed(data: Path, tmp_path: Path) -> None:
    doubted = measure(data / "cad" / "gt_pave.glb", tmp_path)
    assert "units_implausible" in codes(doubted)
    assert [fact.reason for fact in doubted.facts if fact.name == "volume"] == ["units_unconfirmed"]
    report = measure(data / "cad" / "gt_pave.glb", tmp_path, unit="mm")
    assert value(report, "stone_count") == 17
    assert value(report, "stone_carat") == pytest.approx(1.157, rel=0.02)
    assert value(report, "volume") == pytest.approx(198.0, rel=1e-3)


@pytest.mark.full
def test_every_cad_file_of_the_set_is_measured(data: Path, tmp_path: Path) -> None:
    paths = [path for path in sorted((data / "cad").iterdir()) if path.suffix[1:] in EXTENSIONS]
    assert len(paths) > 15
    for path in paths:
        assert measure(path, tmp_path).status == "measured", path


def test_a_ring_whose_faces_point_both_ways_is_read_as_one_solid(data: Path, tmp_path: Path) -> None:
    report = measure(data / "cad" / "massey_ring.stl", tmp_path)
    assert value(report, "volume") == pytest.approx(181.915, abs=0.01)
    assert "mixed_winding" in codes(report)


def test_a_band_measures_as_made(tmp_path: Path) -> None:
    report = measure(write_stl(band(17.35, 1.5, 4.0), tmp_path / "band.stl"), tmp_path)
    assert value(report, "inner_diameter") == pytest.approx(17.35, abs=0.01)
    assert value(report, "band_width") == pytest.approx(4.0, abs=0.001)
    sizes = {fact.name: fact.value for fact in report.facts if fact.name.startswith("ring_size")}
    assert sizes == {
        "ring_size_us": 7.0,
        "ring_size_eu": 54.5,
        "ring_size_uk": "N½",
        "ring_size_jp": 14,
        "ring_size_hk": 15,
    }


def test_a_cube_is_not_taken_for_a_ring(tmp_path: Path) -> None:
    report = measure(write_stl(box(30.0), tmp_path / "cube.stl"), tmp_path)
    assert report.fact("inner_diameter") is None


def test_an_open_mesh_has_no_volume_and_no_weight(tmp_path: Path) -> None:
    points, faces = box(10.0)
    report = measure(write_stl((points, faces[:-1]), tmp_path / "open.stl"), tmp_path)
    for name in ("volume", "weight_18k_yellow", "weight_platinum_950_ru"):
        fact = report.fact(name)
        assert fact is not None
        assert (fact.value, fact.reason) == (None, "open_mesh")
    finding = next(item for item in report.findings if item.code == "open_mesh")
    assert finding.params["edges"] == 3
    assert value(report, "open_edges") == 3


@pytest.mark.parametrize(
    ("mesh", "volume", "code"),
    [
        (joined(box(10.0), turned(box(6.0, (2.0, 2.0, 2.0)))), 1000 - 216, "cavities"),
        (joined(box(10.0), box(6.0, (2.0, 2.0, 2.0))), 1000, "nested_solid"),
        (joined(box(10.0), box(10.0, (5.0, 0.0, 0.0))), 1500, "overlapping_solids"),
        (joined(*[box(10.0)] * 5), 1000, "duplicate_faces"),
        (turned(box(10.0)), 1000, "inside_out"),
        (joined(box(10.0), box(10.0, (20.0, 0.0, 0.0))), 2000, None),
        (joined(box(12.0), turned(box(8.0, (2.0, 2.0, 2.0))), box(4.0, (4.0, 4.0, 4.0))), 1728 - 512 + 64, "cavities"),
    ],
    ids=["hollow", "nested", "overlapping", "copies", "inside out", "apart", "rattle"],
)
def test_what_shells_enclose_is_counted_once(tmp_path: Path, mesh: Mesh, volume: float, code: str | None) -> None:
    report = measure(write_stl(mesh, tmp_path / "solids.stl"), tmp_path)
    assert value(report, "volume") == pytest.approx(volume, rel=1e-6)
    assert code is None or code in codes(report)


def test_copies_stored_as_separate_objects_are_not_weighed_twice(tmp_path: Path) -> None:
    path = write_obj({f"copy{number}": box(10.0) for number in range(20)}, tmp_path / "copies.obj")
    report = measure(path, tmp_path)
    assert value(report, "volume") == pytest.approx(1000, rel=1e-6)
    assert "duplicate_shells" in codes(report)


def test_one_solid_cut_into_material_groups_is_still_closed(tmp_path: Path) -> None:
    points, faces = box(10.0)
    path = write_obj({"top": (points, faces[:5]), "bottom": (points, faces[5:])}, tmp_path / "groups.obj")
    assert value(measure(path, tmp_path), "volume") == pytest.approx(1000, rel=1e-6)


def test_a_piece_of_unlikely_size_gets_no_numbers_until_its_unit_is_confirmed(tmp_path: Path) -> None:
    path = write_stl(band(0.683, 0.06, 0.16), tmp_path / "inches.stl")
    report = measure(path, tmp_path)
    finding = next(item for item in report.findings if item.code == "units_implausible")
    assert "in" in str(finding.params["proposals"]).split(", ")
    assert {fact.reason for fact in report.facts if fact.unit in ("mm", "mm3", "g")} == {"units_unconfirmed"}
    confirmed = measure(path, tmp_path, unit="in")
    assert value(confirmed, "inner_diameter") == pytest.approx(0.683 * 25.4, abs=0.01)


def test_far_from_the_origin_nothing_opens(tmp_path: Path) -> None:
    points, faces = band(17.0, 1.5, 4.0)
    report = measure(write_stl((points + 260.0, faces), tmp_path / "far.stl"), tmp_path)
    assert value(report, "open_edges") == 0


def test_the_preview_is_coarse_unit_sized_and_nameless(data: Path, tmp_path: Path) -> None:
    report = measure(data / "cad" / "gt_pave_metal.stl", tmp_path)
    assert report.preview is not None
    assert report.preview.faces <= 10_000
    assert report.preview.bytes <= 150_000
    assert report.preview.deviation is not None
    assert 0 < report.preview.deviation < 0.5
    glb = (tmp_path / report.preview.name).read_bytes()
    length = struct.unpack("<I", glb[12:16])[0]
    document = json.loads(glb[20 : 20 + length])
    assert "name" not in json.dumps(document)
    assert document["asset"]["extras"]["deviation"] == report.preview.deviation
    bounds = document["accessors"][0]
    assert max(bounds["max"]) <= 32767 // 2 + 1


def test_a_coarse_model_is_made_coarser_and_moved_for_its_preview(tmp_path: Path) -> None:
    points, faces = band(17.0, 1.5, 4.0)
    report = measure(write_stl((points, faces), tmp_path / "band.stl"), tmp_path)
    assert report.preview is not None
    assert report.preview.faces < len(faces)
    assert report.preview.deviation is not None
    assert report.preview.deviation > 0.02


def test_what_lies_within_the_metal_is_no_part_of_its_preview(tmp_path: Path) -> None:
    hollow = joined(box(10.0), turned(box(6.0, at=(2.0, 2.0, 2.0))))
    report = measure(write_stl(hollow, tmp_path / "hollow.stl"), tmp_path)
    assert value(report, "cavities") == 1
    assert report.preview is not None
    assert report.preview.faces == 12


def test_the_preview_is_itself_a_file_we_would_accept(tmp_path: Path) -> None:
    report = measure(write_stl(band(17.0, 1.5, 4.0), tmp_path / "band.stl"), tmp_path)
    assert report.preview is not None
    again = tmp_path / "again"
    again.mkdir()
    assert measure(tmp_path / report.preview.name, again).fact("watertight")


def test_zip_bytes_under_another_name_are_refused(data: Path, tmp_path: Path) -> None:
    (tmp_path / "ring.glb").write_bytes((data / "cad" / "gt_solitaire.3mf").read_bytes())
    with pytest.raises(Unreadable) as refused:
        measure(tmp_path / "ring.glb", tmp_path)
    assert refused.value.code == "content_mismatch"


def test_a_truncated_stl_says_how_many_triangles_are_missing(tmp_path: Path) -> None:
    path = write_stl(box(), tmp_path / "cut.stl")
    path.write_bytes(path.read_bytes()[:-120])
    with pytest.raises(Unreadable) as refused:
        measure(path, tmp_path)
    assert refused.value.code == "damaged"
    assert "12 triangles" in refused.value.message


def test_the_declared_type_must_fit_the_file(tmp_path: Path) -> None:
    with pytest.raises(Unreadable) as refused:
        measure(write_stl(box(), tmp_path / "box.stl"), tmp_path, declared="image/png")
    assert refused.value.code == "content_mismatch"
