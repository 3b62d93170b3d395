"""Web sizes of made-up photos: what is written, from what, and what the limits say."""

import io
import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageCms

from ai_pipeline.errors import Unreadable
from ai_pipeline.imaging.pixels import WIDTHS, decode, web_size
from ai_pipeline.imaging.verify import MAX_BYTES, verify
from ai_pipeline.intake import inspect_photo

SIGNATURES = {".jpg": b"\xff\xd8\xff", ".webp": b"RIFF", ".avif": b"\0\0\0"}


def grained(width: int, height: int) -> Image.Image:
    """Smooth color with some grain."""
    dice = np.random.default_rng(7)
    y, x = np.mgrid[0:height, 0:width]
    waves = np.stack([np.sin(x / 90), np.sin(y / 70), np.sin((x + y) / 80)], axis=-1) * 60 + 150
    return Image.fromarray(np.clip(waves + dice.normal(0, 3, waves.shape), 0, 255).astype("uint8"))


def test_four_widths_in_three_formats(tmp_path: Path) -> None:
    grained(2400, 1800).save(tmp_path / "in.jpg", quality=90)
    out = tmp_path / "out"
    out.mkdir()
    report = inspect_photo(tmp_path / "in.jpg", filename="in.jpg", declared_type="image/jpeg", out_dir=out)
    assert {(d.width, d.media_type) for d in report.derivatives} == {
        (width, kind) for width in WIDTHS for kind in ("image/avif", "image/webp", "image/jpeg")
    }
    for item in report.derivatives:
        data = (out / item.name).read_bytes()
        assert data.startswith(SIGNATURES[Path(item.name).suffix])
        assert len(data) == item.bytes
        with Image.open(io.BytesIO(data)) as image:
            assert image.size == (item.width, round(item.width * 0.75))
    # The newer types are worth offering: even of grain, which no encoder likes, they are smaller than the JPEG.
    for width in WIDTHS:
        sizes = {d.media_type: d.bytes for d in report.derivatives if d.width == width}
        assert max(sizes, key=lambda kind: sizes[kind]) == "image/jpeg"


def test_a_small_photo_is_never_enlarged(tmp_path: Path) -> None:
    Image.new("RGB", (500, 700), "#c9a063").save(tmp_path / "in.png")
    report = inspect_photo(tmp_path / "in.png", filename="in.png", declared_type="", out_dir=tmp_path)
    assert {d.width for d in report.derivatives} == {500, 320}


@pytest.mark.parametrize("orientation", [1, 6])
def test_a_large_jpeg_is_made_smaller_while_it_is_read(tmp_path: Path, orientation: int) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    grained(4400, 3300).save(tmp_path / "in.jpg", quality=80, exif=exif)
    image, unused = decode(tmp_path / "in.jpg", verify(tmp_path / "in.jpg", "in.jpg", ""))
    assert not unused
    width, height = web_size(*((3300, 4400) if orientation == 6 else (4400, 3300)))
    assert width <= image.width < 2 * width
    assert height <= image.height < 2 * height


def test_a_profile_is_converted_and_nothing_of_it_is_left(tmp_path: Path) -> None:
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB"))
    srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB"))
    gold = Image.new("RGB", (400, 400), (201, 160, 99))
    lab = ImageCms.profileToProfile(gold, srgb, profile, outputMode="LAB")
    assert lab is not None
    lab.save(tmp_path / "in.tif", icc_profile=profile.tobytes())
    report = inspect_photo(tmp_path / "in.tif", filename="in.tif", declared_type="image/tiff", out_dir=tmp_path)
    with Image.open(tmp_path / next(d.name for d in report.derivatives if d.media_type == "image/jpeg")) as image:
        assert "icc_profile" not in image.info
        assert np.allclose(image.getpixel((200, 200)), (201, 160, 99), atol=3)  # type: ignore[arg-type]


def png_that_claims(width: int, height: int) -> bytes:
    """A PNG whose header names a size that its data does not have."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"")) + chunk(b"IEND", b"")


def test_too_many_pixels_are_refused_with_both_numbers_before_a_decoder_sees_them(tmp_path: Path) -> None:
    (tmp_path / "in.png").write_bytes(png_that_claims(10_001, 10_000))
    with pytest.raises(Unreadable) as refused:
        verify(tmp_path / "in.png", "in.png", "")
    assert refused.value.message == "The photo has 101 megapixels; the limit is 100."


def test_a_file_over_the_limit_is_refused_with_both_numbers(tmp_path: Path) -> None:
    with (tmp_path / "in.jpg").open("wb") as file:
        file.write(b"\xff\xd8\xff")
        file.truncate(MAX_BYTES + 1)
    with pytest.raises(Unreadable) as refused:
        verify(tmp_path / "in.jpg", "in.jpg", "")
    assert refused.value.message == "The file has 60.1 MB; the limit is 60 MB."
