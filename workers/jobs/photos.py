"""Web sizes of pictures: made in the child, kept in the object store."""

from pathlib import Path
from typing import Any

from ai_pipeline.imaging.report import Derivative
from ai_pipeline.intake import inspect_photo
from marketplace.designs.processing import Made
from marketplace.gateways.storage import Storage


def web_sizes(
    storage: Storage, path: Path, out: Path, folder: str, *, filename: str, declared: str, view: str, role: str
) -> tuple[dict[str, Any], list[Made]]:
    """(what reading the picture told, its web sizes as stored under `folder`). Raises Unreadable."""
    report = inspect_photo(path, filename=filename, declared_type=declared, out_dir=out)
    made = keep(storage, out, folder, report.derivatives, view=view, role=role, placeholder=report.placeholder)
    return report.model_dump(mode="json", exclude={"placeholder"}), made


def keep(
    storage: Storage, out: Path, folder: str, items: list[Derivative], *, view: str, role: str, placeholder: str
) -> list[Made]:
    """Store web sizes that lie in `out` under `folder`."""
    made = []
    for item in items:
        key = f"{folder}{view}-{item.name}"
        storage.put_file(key, out / item.name, item.media_type, item.sha256)
        made.append(
            Made(
                role=f"{role}_{item.width}_{Path(item.name).suffix[1:]}",
                view=view,
                storage_key=key,
                content_type=item.media_type,
                size=item.bytes,
                width=item.width,
                height=item.height,
                placeholder=placeholder,
            )
        )
    return made
