"""A body as read from a file: triangles in file units with the names, layer and exact volume the file gave it."""

from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from ai_pipeline.errors import Unreadable

Points = NDArray[np.float64]
Faces = NDArray[np.int64]

MAX_TRIANGLES = 1_000_000
MAX_BODIES = 2_000
# Far outside anything worn, far inside what doubles can square and sum.
MAX_COORDINATE = 1e7


@dataclass
class Body:
    """Vertices (n, 3) and faces (m, 3) of one named part; nothing is welded yet.

    `exact_volume` is the volume of the boundary representation the triangles were made from, in cubic units of the
    vertices; None for a mesh, an open surface, or a solid that could only be taken from its display mesh.
    `estimate` is the share by which its volume may be off where the triangles are not the author's own surfaces.
    `index` counts the parts of the file from 0, hidden ones too, so that it stays the same whatever layers are read.
    `hidden` marks a part on a layer that is not read: it is listed, never measured or shown, and may come without
    triangles.
    """

    vertices: Points
    faces: Faces
    name: str = ""
    material: str = ""
    layer: str = ""
    hidden: bool = False
    exact_volume: float | None = None
    estimate: float = 0.0
    index: int = 0

    def scaled(self, scale: float) -> "Body":
        """The same part in a unit `scale` times smaller."""
        exact = None if self.exact_volume is None else self.exact_volume * scale**3
        return replace(self, vertices=self.vertices * scale, exact_volume=exact)


@dataclass
class Layer:
    """One layer of a file: whether its author shows it, whether it is read here, and how many parts lie on it."""

    name: str
    visible: bool
    used: bool
    bodies: int = 0


@dataclass
class Drawing:
    """What a reader found: bodies, the unit the format states (None when it has none), the layers of formats that
    have them, and notes (codes of findings with their parameters) on what was left out or could only be estimated.
    `unread` counts parts that are there but hidden or beyond this reader: a file of them alone is not empty.
    """

    bodies: list[Body]
    unit: str | None = None
    layers: list[Layer] = field(default_factory=list)
    notes: list[tuple[str, dict[str, str | int | float]]] = field(default_factory=list)
    unread: int = 0


def checked(drawing: Drawing) -> Drawing:
    """The drawing without empty bodies, after checking counts and coordinates.

    Raises Unreadable: `no_geometry`, `too_many_items`, `damaged` for coordinates that are not finite or absurd.
    """
    drawing.bodies = [body for body in drawing.bodies if len(body.faces) or body.hidden]
    limit_count(len(drawing.bodies), "bodies", MAX_BODIES)
    limit_count(sum(len(body.faces) for body in drawing.bodies), "triangles", MAX_TRIANGLES)
    for index, body in enumerate(drawing.bodies):
        body.index = index
    shown = [body for body in drawing.bodies if not body.hidden]
    if not shown and not drawing.unread:
        raise Unreadable("no_geometry")
    for body in shown:
        if not np.isfinite(body.vertices).all():
            raise Unreadable("damaged", detail="a coordinate is not a number")
        if np.abs(body.vertices).max() > MAX_COORDINATE:
            raise Unreadable("damaged", detail="a coordinate is absurdly large")
        if body.faces.min() < 0 or body.faces.max() >= len(body.vertices):
            raise Unreadable("damaged", detail="a face names a point that is not there")
    return drawing


def limit_count(count: int, items: str, limit: int) -> None:
    """Raise `too_many_items` when `count` passes `limit`."""
    if count > limit:
        raise Unreadable("too_many_items", count=count, items=items, limit=limit)
