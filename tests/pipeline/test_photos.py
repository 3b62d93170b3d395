"""Photos: what is accepted, what is refused, and what comes out."""

import base64
import io
import json
import shutil
import sys
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from PIL import Image, ImageChops, ImageStat

from ai_pipeline.errors import Unreadable
from ai_pipeline.imaging.pixels import WIDTHS
from ai_pipeline.imaging.report import PhotoReport
from ai_pipeline.intake import inspect_photo

SAMPLE = 8


def read(path: Path, out: Path, filename: str | None = None, declared: str = "") -> PhotoReport:
    return inspect_photo(path, filename=filename or path.name, declared_type=declared, out_dir=out)


def rows(data: Path, kind: str) -> list[dict[str, Any]]:
    lines = (data / "photos" / "index.jsonl").read_text().splitlines()
    return [row for row in map(json.loads, lines) if row["kind"] == kind]


def largest(report: PhotoReport, out: Path, media_type: str = "image/webp") -> Image.Image:
    name = next(item.name for item in report.derivatives if item.media_type == media_type)
    with Image.open(out / name) as image:
        image.load()
        return image.convert("RGB")


def difference(a: Image.Image, b: Image.Image) -> float:
    """Mean absolute difference per channel, 0 to 255, at 200 pixels."""
    small = [image.resize((200, 200)) for image in (a, b)]
    return max(ImageStat.Stat(ImageChops.difference(*small)).mean)


@pytest.mark.parametrize("part", ["sample", pytest.param("every", marks=pytest.mark.full)])
def test_real_photographs_become_clean_derivatives(data: Path, tmp_path: Path, part: str) -> None:
    found = rows(data, "original")
    for row in found if part == "every" else found[:: len(found) // SAMPLE]:
        report = read(data / row["path"], tmp_path)
        assert (report.width, report.height) == (row["w"], row["h"]), row["path"]
        widths = sorted({item.width for item in report.derivatives})
        assert widths == sorted({min(width, row["w"]) for width in WIDTHS})
        for item in report.derivatives:
            with Image.open(tmp_path / item.name) as image:
                assert image.size == (item.width, item.height)
                assert not image.getexif()
                assert not {"icc_profile", "exif", "xmp", "comment"} & image.info.keys()
        assert len(report.placeholder) <= 400
        assert Image.open(io.BytesIO(base64.b64decode(report.placeholder.partition(",")[2]))).format == "WEBP"


def test_each_format_of_the_set_is_accepted_or_refused_as_expected(data: Path, tmp_path: Path) -> None:
    def one(row: dict[str, Any]) -> tuple[str, str, PhotoReport | None]:
        name = Path(row["path"]).name
        out = tmp_path / name
        out.mkdir()
        try:
            return name, "", read(data / row["path"], out)
        except Unreadable as reason:
            return name, reason.code, None

    found = rows(data, "format")
    with ThreadPoolExecutor(2) as pool:
        results = list(pool.map(one, found))
    assert {name: code for name, code, _ in results if code} == {
        "float32.tif": "unsupported_pixels",
        "photo.bmp": "unsupported_photo",
    }
    for row, (name, _, report) in zip(found, results, strict=True):
        assert report is None or report.derivatives, name
        if row["expect"] == "warn":
            assert report is not None
            assert "too_small" in [warning.code for warning in report.warnings]


def test_the_eight_orientations_come_out_the_same_way_up(data: Path, tmp_path: Path) -> None:
    pictures = []
    for number in range(1, 9):
        report = read(data / f"photos/formats/exif-orientation-{number}.jpg", tmp_path)
        pictures.append(largest(report, tmp_path))
    assert max(difference(pictures[0], picture) for picture in pictures[1:]) < 4


def test_heic_with_an_orientation_is_turned_once(data: Path, tmp_path: Path) -> None:
    plain = largest(read(data / "photos/formats/photo.heic", tmp_path), tmp_path)
    turned = largest(read(data / "photos/formats/photo-rot6.heic", tmp_path), tmp_path)
    assert plain.size == turned.size
    assert difference(plain, turned) < 4


def test_color_profiles_are_converted_not_dropped(data: Path, tmp_path: Path) -> None:
    reference = largest(read(data / "photos/formats/icc-srgb.jpg", tmp_path), tmp_path)
    for name in ("icc-adobergb", "icc-prophoto", "icc-swapped-red-green"):
        picture = largest(read(data / f"photos/formats/{name}.jpg", tmp_path), tmp_path)
        assert difference(reference, picture) < 4, name


def test_sixteen_bit_gray_does_not_come_out_white(data: Path, tmp_path: Path) -> None:
    gray = largest(read(data / "photos/formats/gray16.png", tmp_path), tmp_path).convert("L")
    color = largest(read(data / "photos/formats/rgb16.png", tmp_path), tmp_path).convert("L")
    assert difference(gray, color) < 4


def test_transparency_stays_in_webp_and_is_white_in_jpeg(data: Path, tmp_path: Path) -> None:
    report = read(data / "photos/formats/alpha.png", tmp_path)
    assert report.has_alpha
    name = next(item.name for item in report.derivatives if item.media_type == "image/webp")
    with Image.open(tmp_path / name) as image:
        assert image.mode == "RGBA"
    assert largest(report, tmp_path, "image/jpeg").getpixel((0, 0)) == (255, 255, 255)


def test_forty_eight_megapixels_fit_the_memory_bound(data: Path, tmp_path: Path) -> None:
    report = read(data / "photos/formats/flatlay-48mp.jpg", tmp_path)
    assert report.reading is not None
    assert report.reading.peak_mb < 512


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("zero-bytes.jpg", "empty_file"),
        ("html-named.jpg", "unsupported_photo"),
        ("svg-script.svg", "unsupported_photo"),
        ("lying-size.jpg", "too_many_pixels"),
        ("truncated.jpg", "damaged"),
        ("bad-crc.png", "damaged"),
    ],
)
def test_a_file_that_lies_is_refused_with_its_reason(data: Path, tmp_path: Path, name: str, code: str) -> None:
    with pytest.raises(Unreadable) as refused:
        read(data / "photos/hostile" / name, tmp_path)
    assert refused.value.code == code


@pytest.mark.parametrize("name", ["exif-xss.jpg", "exif-prompt-injection.jpg"])
def test_text_in_the_metadata_is_gone_from_every_output(data: Path, tmp_path: Path, name: str) -> None:
    report = read(data / "photos/hostile" / name, tmp_path)
    everything = report.model_dump_json().encode() + b"".join(path.read_bytes() for path in tmp_path.iterdir())
    assert b"script" not in everything
    assert b"gnore" not in everything


@pytest.mark.parametrize(
    ("filename", "declared"), [("photo.png", ""), ("photo.jpg", "image/png"), ("photo.pdf", "application/pdf")]
)
def test_name_type_and_content_must_agree(data: Path, tmp_path: Path, filename: str, declared: str) -> None:
    with pytest.raises(Unreadable) as refused:
        read(data / "photos/formats/baseline-444.jpg", tmp_path, filename, declared)
    assert refused.value.code == "content_mismatch"


SECONDS, MEGABYTES = 5, 512


@pytest.mark.parametrize("part", ["sample", pytest.param("every", marks=pytest.mark.full)])
def test_every_photo_ends_in_a_typed_refusal_or_clean_pictures_within_bounds(
    data: Path, tmp_path: Path, part: str
) -> None:
    paths = sorted(p for kind in ("hostile", "formats", "original") for p in (data / "photos" / kind).iterdir())
    counts: Counter[str] = Counter()
    for path in paths if part == "every" else paths[:: len(paths) // SAMPLE]:
        out = tmp_path / "out"
        out.mkdir()
        try:
            report = read(path, out)
        except Unreadable as refusal:
            counts[f"refused {refusal.code}"] += 1
            assert not any(out.iterdir()), path
        else:
            counts["accepted"] += 1
            assert report.reading is not None
            assert report.reading.cpu_ms < SECONDS * 1000, path
            assert report.reading.peak_mb < MEGABYTES, path
            uploaded = path.read_bytes()
            assert all((out / item.name).read_bytes() != uploaded for item in report.derivatives)
        shutil.rmtree(out)
    sys.stdout.write(f"\n{sum(counts.values())} photos of {len(paths)}: {dict(counts)}\n")
    assert counts["accepted"]
