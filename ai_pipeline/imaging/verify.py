"""Decide from name, declared type and first bytes whether a photo may be decoded at all."""

from pathlib import Path, PurePosixPath

from ai_pipeline.errors import Unreadable
from ai_pipeline.imaging.headers import Header, read_header
from ai_pipeline.imaging.structure import require_whole

#: Powers of ten, as the page shows them before a file is chosen.
MAX_BYTES = 60 * 10**6
MAX_PIXELS = 100_000_000

EXTENSIONS: dict[str, str] = {
    "jpg": "JPEG", "jpeg": "JPEG", "jpe": "JPEG", "jfif": "JPEG", "png": "PNG", "apng": "PNG", "webp": "WEBP",
    "gif": "GIF", "tif": "TIFF", "tiff": "TIFF", "heic": "HEIF", "heif": "HEIF", "avif": "AVIF",
}  # fmt: skip
MEDIA_TYPES: dict[str, str] = {
    "image/jpeg": "JPEG", "image/jpg": "JPEG", "image/pjpeg": "JPEG", "image/png": "PNG", "image/apng": "PNG",
    "image/webp": "WEBP", "image/gif": "GIF", "image/tiff": "TIFF", "image/heic": "HEIF", "image/heif": "HEIF",
    "image/heic-sequence": "HEIF", "image/heif-sequence": "HEIF", "image/avif": "AVIF",
}  # fmt: skip
UNDECLARED = {"", "application/octet-stream", "binary/octet-stream"}


def verify(path: Path, filename: str, declared_type: str) -> Header:
    """The header of a photo whose content, name and declared type agree and whose size is within limits.

    Raises Unreadable: `empty_file`, `file_too_large`, `unsupported_photo`, `content_mismatch`, `too_many_pixels`,
    `damaged`.
    """
    size = path.stat().st_size
    if size == 0:
        raise Unreadable("empty_file")
    if size > MAX_BYTES:
        raise Unreadable("file_too_large", size=-(-size // 10**5) / 10, limit=MAX_BYTES // 10**6)
    with path.open("rb") as file:
        header = read_header(file)
    _agree(header.format, filename, declared_type)
    if header.width * header.height > MAX_PIXELS:
        # Rounded up, so that what is over the limit never reads like the limit.
        megapixels = -(-header.width * header.height // 1_000_000)
        raise Unreadable("too_many_pixels", megapixels=megapixels, limit=MAX_PIXELS // 1_000_000)
    require_whole(path, header.format)
    return header


def _agree(found: str, filename: str, declared_type: str) -> None:
    extension = PurePosixPath(filename.replace("\\", "/")).suffix.lstrip(".").lower()
    if extension and EXTENSIONS.get(extension) != found:
        raise Unreadable("content_mismatch", claimed=f".{extension[:12]}", found=found)
    media = declared_type.partition(";")[0].strip().lower()
    if media not in UNDECLARED and MEDIA_TYPES.get(media) != found:
        raise Unreadable("content_mismatch", claimed=media[:40], found=found)
