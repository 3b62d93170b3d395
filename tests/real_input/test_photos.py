"""Shop photographs, formats and hostile pictures through the upload: ready, or refused with a reason; never lost."""

import io
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
import requests
from PIL import Image

from tests.real_input.conftest import Studio

#: One of each container and each trap in the common run; everything in the slow one.
SAMPLE = (
    "original/va11-sg_alt.jpg",
    "original/va24_main.jpg",
    "formats/exif-orientation-1.jpg",
    "formats/exif-orientation-6.jpg",
    "formats/icc-adobergb.jpg",
    "formats/gray16.png",
    "formats/alpha.avif",
    "formats/photo-rot6.heic",
    "formats/rgb.tif",
    "formats/turntable.gif",
    "formats/戒指 – bague «N°1» 💍.jpg",
    "formats/flatlay-12mp.jpg",
)


def index(real_data: Path) -> dict[str, dict[str, Any]]:
    """What the index says of each photo, by its path under `photos/`."""
    lines = (real_data / "photos" / "index.jsonl").read_text("utf-8").splitlines()
    return {row["path"].removeprefix("photos/"): row for row in map(json.loads, lines)}


def settle(studio: Studio, real_data: Path, paths: Sequence[str]) -> dict[str, dict[str, Any]]:
    """Offer the files; what became of each, by path."""
    found = studio.offer([real_data / "photos" / path for path in paths], "photo")
    return {path: found[Path(path).name] for path in paths}


def assert_as_expected(path: str, expect: str, asset: dict[str, Any]) -> None:
    """`expect` is the index's own word: accept, warn, refuse, or a choice of them."""
    status, wish = asset["status"], expect.lower()
    assert status in {"ready", "rejected", "not taken"}, path
    if status != "ready":
        assert asset["reason"]["detail"], path
        assert wish.startswith(("refuse", "accept or a clear refusal")), (path, asset["reason"])
        return
    assert wish.startswith(("accept", "warn")) or "or accept" in wish or "or repair" in wish, path
    assert asset["derivatives"], path


def picture_of(asset: dict[str, Any]) -> Image.Image:
    """Its widest web picture, from the store by its signed address."""
    widest = max(asset["derivatives"], key=lambda d: d["width"] or 0)
    answer = requests.get(widest["url"], timeout=60)
    assert answer.status_code == 200
    return Image.open(io.BytesIO(answer.content))


def assert_clean(path: str, asset: dict[str, Any]) -> None:
    """The picture that people see carries no metadata of the camera and is plain RGB."""
    with picture_of(asset) as picture:
        assert not picture.getexif(), path
        assert "xmp" not in picture.info, path
        assert picture.mode in {"RGB", "RGBA"}, path


def test_a_sample_of_real_photos_becomes_clean_web_pictures(studio: Studio, real_data: Path) -> None:
    told = index(real_data)
    found = settle(studio, real_data, SAMPLE)
    for path, asset in found.items():
        assert_as_expected(path, told[path]["expect"], asset)
        assert_clean(path, asset)
    with picture_of(found[SAMPLE[2]]) as upright, picture_of(found[SAMPLE[3]]) as turned:
        assert upright.size == turned.size


def test_hostile_photos_are_refused_with_a_reason_or_made_harmless(studio: Studio, real_data: Path) -> None:
    told = index(real_data)
    paths = [path for path in told if path.startswith("hostile/")]
    assert len(paths) >= 8
    for path, asset in settle(studio, real_data, paths).items():
        assert_as_expected(path, told[path]["expect"], asset)
        if asset["status"] == "ready":
            assert_clean(path, asset)


@pytest.mark.slow
def test_every_real_photo_is_settled_as_the_index_says(studio: Studio, real_data: Path) -> None:
    told = index(real_data)
    paths = [path for path in told if not path.startswith("hostile/") and path not in SAMPLE]
    assert len(paths) >= 60
    for path, asset in settle(studio, real_data, paths).items():
        assert_as_expected(path, told[path]["expect"], asset)
