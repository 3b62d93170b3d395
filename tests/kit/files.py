"""Files to upload, and the three calls that upload one."""

import hashlib
import io
import struct
from dataclasses import dataclass
from typing import Any

import numpy as np
import requests
from PIL import Image

from tests.kit.people import Person


@dataclass(frozen=True)
class File:
    """A name and bytes."""

    name: str
    data: bytes
    content_type: str = "application/octet-stream"
    kind: str = "cad"

    @property
    def announced(self) -> dict[str, Any]:
        """The body that announces it."""
        return {
            "filename": self.name,
            "content_type": self.content_type,
            "size": len(self.data),
            "sha256": hashlib.sha256(self.data).hexdigest(),
            "kind": self.kind,
        }


def photo(color: tuple[int, int, int] = (180, 150, 90), name: str = "ring.jpg", width: int = 1300) -> File:
    """A JPEG."""
    data = io.BytesIO()
    Image.new("RGB", (width, width * 3 // 4), color).save(data, "JPEG", quality=80)
    return File(name, data.getvalue(), "image/jpeg", "photo")


def band_stl(inner_mm: float = 17.35, thickness_mm: float = 1.6, width_mm: float = 4.0, name: str = "band.stl") -> File:
    """A plain ring of rectangular section as a closed binary STL, in mm."""
    steps = 96
    angles = np.linspace(0, 2 * np.pi, steps, endpoint=False)
    inner, outer = inner_mm / 2, inner_mm / 2 + thickness_mm
    corners = [(inner, 0.0), (outer, 0.0), (outer, width_mm), (inner, width_mm)]
    points = np.array([[(r * np.cos(a), r * np.sin(a), z) for r, z in corners] for a in angles])
    triangles = []
    for i in range(steps):
        j = (i + 1) % steps
        for k in range(4):
            m = (k + 1) % 4
            triangles += [
                (points[i][k], points[j][k], points[j][m]),
                (points[i][k], points[j][m], points[i][m]),
            ]
    body = b"".join(struct.pack("<12fH", 0, 0, 0, *(v for p in t for v in p), 0) for t in triangles)
    return File(name, bytes(80) + struct.pack("<I", len(triangles)) + body, "model/stl", "cad")


def send(person: Person, design_id: str, file: File) -> str:
    """Announce, post to the object store, complete; returns the asset's id."""
    answer = person.api.post(f"/designs/{design_id}/assets", file.announced)
    assert answer.status_code == 201, answer.get_data(as_text=True)
    put(answer.json, file)
    asset_id = str(answer.json["asset"]["id"])
    done = person.api.post(f"/assets/{asset_id}/complete")
    assert done.status_code == 202, done.get_data(as_text=True)
    return asset_id


def put(announced: Any, file: File) -> requests.Response:
    """Post the bytes as a browser would."""
    upload = announced["upload"]
    answer = requests.post(upload["url"], data=upload["fields"], files={"file": (file.name, file.data)}, timeout=60)
    assert answer.status_code in {200, 201, 204}, answer.text
    return answer
