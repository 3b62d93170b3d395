"""The site's own finished pictures, copied into the static files by the front-end build."""

from flask import url_for

from marketplace.web.templating import built_file


def picture(name: str) -> str | None:
    """The address of one of our own pictures (`banner`), or None when it was not built."""
    found = built_file(f"pictures/{name}.webp")
    return url_for("static", filename=f"built/{found}") if found else None
