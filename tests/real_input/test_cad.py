"""Real CAD files through the upload: measured close to the truth, or kept and said why not."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.real_input.conftest import Studio

SAMPLE = ("gt_flat_band.stl", "gt_torus_band.stl", "gt_solitaire.glb", "massey_ring.stl", "jewelbyte_ring.stl")
#: Grams of a piece of jewelry; beyond these something was read in the wrong unit.
LIGHTEST_G, HEAVIEST_G = 0.05, 400.0
#: Of the mesh to the analytic solid.
TOLERANCE = 0.01


def facts_of(asset: dict[str, Any]) -> dict[str, Any]:
    """Measured values by name; None where one could not be measured."""
    return {fact["name"]: fact["value"] for fact in asset["facts"]}


def assert_sane(name: str, asset: dict[str, Any]) -> None:
    """Ready with believable facts or none, or refused with words."""
    assert asset["status"] in {"ready", "rejected"}, name
    if asset["status"] == "rejected":
        assert asset["reason"]["detail"], name
        return
    facts = facts_of(asset)
    volume, gold, silver = (facts.get(k) for k in ("volume", "weight_18k_yellow", "weight_sterling"))
    if volume is None:
        assert gold is None, name
        return
    assert volume > 0, name
    if gold is not None and silver is not None:
        assert LIGHTEST_G < silver < gold < HEAVIEST_G, name
        assert gold / volume * 1000 == pytest.approx(15.5, abs=0.8), name  # g/cm3 of 18k yellow gold


def check(studio: Studio, real_data: Path, names: list[str]) -> None:
    """Offer the files and compare with the truth where there is one."""
    truth = json.loads((real_data / "cad" / "truth.json").read_text())
    found = studio.offer([real_data / "cad" / name for name in names], "cad")
    assert set(found) == set(names)
    for name, asset in found.items():
        assert_sane(name, asset)
        known, facts = truth.get(Path(name).stem), facts_of(asset)
        if known and name.endswith(".stl") and "_gem" not in name:
            assert facts["volume"] == pytest.approx(known["volume"], rel=TOLERANCE), name
            assert facts["inner_diameter"] == pytest.approx(known["inner_d"], abs=0.05), name


def test_a_sample_of_real_cad_is_measured_close_to_the_truth(studio: Studio, real_data: Path) -> None:
    check(studio, real_data, list(SAMPLE))


@pytest.mark.slow
def test_every_real_cad_file_is_settled_with_sane_facts(studio: Studio, real_data: Path) -> None:
    endings = {".stl", ".obj", ".ply", ".3mf", ".glb", ".step", ".3dm"}
    names = [p.name for p in sorted((real_data / "cad").iterdir()) if p.suffix in endings and p.name not in SAMPLE]
    assert len(names) >= 15
    check(studio, real_data, names)
