"""A body as read from a file: triangles in file units with the names the file gave it."""

from dataclasses import dataclass, field

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
    """Vertices (n, 3) and faces (m, 3) of one named part; nothing is welded yet."""

    vertices: Points
    faces: Faces
    name: str = ""
    material: str = ""


@dataclass
class Drawing:
    """What a reader found:
    bodies, the unit the format states (None when it has none) and notes on what was left out.
    """

    bodies: list[Body]
    unit: str | None = None
    left_out: list[str] = field(default_factory=list)


def checked(drawing: Drawing) -> Drawing:
    """The drawing without empty bodies, after checking counts and coordinates.

    Raises Unreadable: `no_geometry`, `too_many_items`, `damaged` for coordinates that are not finite or absurd.
    """
    drawing.bodies = [body for body in drawing.bodies if len(body.faces)]
    if not drawing.bodies:
        raise Unreadable("no_geometry")
    limit_count(len(drawing.bodies), "bodies", MAX_BODIES)
    limit_count(sum(len(body.faces) for body in drawing.bodies), "triangles", MAX_TRIANGLES)
    for body in drawing.bodies:
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
