"""The one error a file can cause, with a stable code and a sentence that says what to do."""

# ruff: noqa: E501 - a sentence stays in one piece for its translators


def N_(text: str) -> str:  # noqa: N802 - gettext's own name for "collect this string, translate it later"
    """Mark a string for the translators and return it unchanged."""
    return text


REASONS: dict[str, str] = {
    "empty_file": N_("The file is empty. Choose another file."),
    "file_too_large": N_("The file has %(size)s MB; the limit is %(limit)s MB."),
    "unsupported_photo": N_("This is not a photo we can read. Upload JPEG, PNG, WebP, AVIF, HEIC, TIFF or GIF."),
    "unsupported_paper": N_("This is not a PDF. Attach a photo or a PDF."),
    "locked_paper": N_("The PDF is locked with a password. Save it without one and attach it again."),
    "unsupported_pixels": N_(
        "Pixels stored as %(mode)s cannot be shown. Export the photo with 8 or 16 bits a channel."
    ),
    "unsupported_cad": N_("This is not a CAD file we can read. Upload STL, OBJ, PLY, GLB, 3MF, STEP or 3DM."),
    "unsupported_feature": N_("The file uses %(feature)s, which we cannot read. Export it again without it."),
    "content_mismatch": N_(
        "The name or type says %(claimed)s, but the content is %(found)s. Export the file again under its own type."
    ),
    "too_many_pixels": N_("The photo has %(megapixels)s megapixels; the limit is %(limit)s."),
    "too_many_items": N_("The file holds %(count)s %(items)s; the limit is %(limit)s."),
    "damaged": N_("The file is damaged or cut off: %(detail)s. Export it again and upload the new file."),
    "no_geometry": N_("The file holds no surface to measure. Check what was exported and upload it again."),
    "external_reference": N_(
        "The file points to another file or address (%(target)s). Export one self-contained file."
    ),
    "unsafe_archive": N_("The file's packaging is not safe to open: %(detail)s. Export it again."),
    "took_too_long": N_("Reading the file took longer than %(seconds)s seconds. Simplify it and upload it again."),
    "needs_too_much_memory": N_("Reading the file needs more memory than is allowed. Simplify it and upload it again."),
    "reader_stopped": N_(
        "The file could not be read: the reader stopped on it (%(detail)s). Export it again, CAD best as STL."
    ),
}


class Unreadable(Exception):
    """A file that is refused: `code` is a key of REASONS, `params` fill its template, `message` is the English sentence."""

    def __init__(self, code: str, **params: str | int | float) -> None:
        self.code = code
        self.params = params
        self.message = REASONS[code] % params
        super().__init__(self.message)
