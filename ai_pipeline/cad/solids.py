"""Shells and what they enclose:
cavities are taken away, overlaps counted once, doubles dropped, open shells never guessed.
"""

from dataclasses import dataclass, field

import manifold3d
import numpy as np
from numpy.typing import NDArray

from ai_pipeline.cad import mesh
from ai_pipeline.cad.shape import Body, Faces, Points, limit_count

MAX_SHELLS = 2_000
# Two shells are the same when box, area and volume agree to this share.
SAME = 1e-6


@dataclass
class Shell:
    """One connected surface in mm. `volume` is signed; `closed` means no open edge and one consistent outside."""

    vertices: Points
    faces: Faces
    name: str
    material: str
    open_edges: int
    rewound: bool
    volume: float
    area: float
    low: NDArray[np.float64] = field(init=False)
    high: NDArray[np.float64] = field(init=False)
    closed: bool = True

    def __post_init__(self) -> None:
        self.low, self.high = self.vertices.min(axis=0), self.vertices.max(axis=0)

    @property
    def size(self) -> NDArray[np.float64]:
        return self.high - self.low

    def turned(self) -> "Shell":
        """The same surface inside out."""
        return Shell(self.vertices, self.faces[:, ::-1], self.name, self.material, self.open_edges, True, -self.volume,
                     self.area, closed=self.closed)  # fmt: skip


@dataclass
class Welding:
    """Shells of a whole file, the coarsest welding distance used (mm), and how many exactly repeated faces were
    dropped.
    """

    shells: list[Shell]
    tolerance: float
    doubles: int


@dataclass
class Enclosed:
    """Volume in mm3, or None with the reason code why there is none; and what was met on the way."""

    volume: float | None
    reason: str | None
    cavities: int = 0
    turned: int = 0
    duplicates: int = 0
    nested: int = 0
    overlapping: int = 0
    solids: int = 0


def shells_of(bodies: list[Body]) -> Welding:
    """Weld and split bodies into shells.

    A body that closes by itself stays by itself (a stone may share points with its seat); the open ones are welded to
    each other,
    because exporters cut one solid into groups by material.
    """
    result: list[Shell] = []
    coarsest, doubles = 0.0, 0
    pool: list[Body] = []
    for body in bodies:
        points, faces, tolerance, dropped = mesh.weld(body.vertices, body.faces)
        if len(bodies) > 1 and mesh.edges(faces, len(points)).open:
            pool.append(body)
            continue
        coarsest, doubles = max(coarsest, tolerance), doubles + dropped
        result += _split(points, faces, [body.name], [body.material], np.zeros(len(faces), np.int64))
    if pool:
        sizes = [len(body.faces) for body in pool]
        starts = np.cumsum([0, *(len(body.vertices) for body in pool)])
        points = np.vstack([body.vertices for body in pool])
        faces = np.vstack([body.faces + start for body, start in zip(pool, starts, strict=False)])
        owner = np.repeat(np.arange(len(pool)), sizes)
        points, faces, tolerance, dropped = mesh.weld(points, faces)
        if dropped or len(owner) != len(faces):
            owner = np.zeros(
                len(faces), np.int64
            )  # dropped faces have moved the numbers: names are lost, shapes are not
        coarsest, doubles = max(coarsest, tolerance), doubles + dropped
        result += _split(points, faces, [body.name for body in pool], [body.material for body in pool], owner)
    limit_count(len(result), "shells", MAX_SHELLS)
    return Welding(result, coarsest, doubles)


def _split(
    points: Points, faces: Faces, names: list[str], materials: list[str], owner: NDArray[np.int64]
) -> list[Shell]:
    parts = mesh.components(faces, len(points))
    limit_count(len(parts), "shells", MAX_SHELLS)
    shells = []
    for part in parts:
        used, own_faces = _renumbered(faces[part], len(points))
        own_points = points[used]
        found = mesh.edges(own_faces, len(used))
        rewound = False
        if found.open == 0 and found.unpaired:
            own_faces, rewound = mesh.rewind(own_faces, len(used)), True
            found = mesh.edges(own_faces, len(used))
            if mesh.volume(own_points, own_faces) < 0:
                own_faces = own_faces[:, ::-1]
        main = int(np.bincount(owner[part]).argmax())
        shells.append(
            Shell(
                own_points,
                own_faces,
                names[main],
                materials[main],
                found.open,
                rewound,
                mesh.volume(own_points, own_faces),
                mesh.area(own_points, own_faces),
                closed=found.open == 0 and found.unpaired == 0,
            )
        )
    return shells


def _renumbered(faces: Faces, points: int) -> tuple[NDArray[np.int64], Faces]:
    """(points that the faces use, in order, the faces with their places in it)."""
    if len(faces) * 8 < points:
        used, order = np.unique(faces, return_inverse=True)
        return used, order.reshape(-1, 3).astype(np.int64)
    seen = np.zeros(points, bool)
    seen[faces] = True
    return np.flatnonzero(seen), (np.cumsum(seen) - 1)[faces]


def enclosed(shells: list[Shell]) -> Enclosed:
    """The volume of the material that `shells` bound.

    A shell wound inwards within an outward one is a cavity; elsewhere it is a body turned inside out and is turned
    back. Solids
    that overlap are united, equal ones counted once. Any shell that is not closed makes the volume unknown:
    `open_mesh`.
    """
    if any(not shell.closed for shell in shells):
        return Enclosed(None, "open_mesh")
    kept, duplicates = _without_duplicates(shells)
    outer = [shell for shell in kept if shell.volume > 0]
    cavities: list[Shell] = []
    turned = 0
    for shell in kept:
        if shell.volume < 0:
            if any(_inside(shell, other) for other in outer):
                cavities.append(shell.turned())
            else:
                outer.append(shell.turned())
                turned += 1
    result = Enclosed(None, None, len(cavities), turned, duplicates, solids=len(outer))
    if not outer:
        result.reason = "no_volume"
        return result
    islands = [shell for shell in outer if any(_inside(shell, hole) for hole in cavities)]
    hosts = [shell for shell in outer if not any(shell is island for island in islands)]
    result.nested = sum(any(_inside(shell, other) for other in hosts if other is not shell) for shell in hosts)
    filled, overlapping = _united(hosts)
    emptied, _ = _united(cavities)
    islets, more = _united(islands)
    result.overlapping = overlapping + more
    if filled is None or emptied is None or islets is None:
        result.reason = "overlap_unresolved"
        return result
    total = filled - emptied + islets
    result.volume = total if total > 0 else None
    result.reason = None if total > 0 else "no_volume"
    return result


def _without_duplicates(shells: list[Shell]) -> tuple[list[Shell], int]:
    kept: list[Shell] = []
    seen: dict[tuple[int, ...], list[Shell]] = {}
    for shell in shells:
        scale = max(float(shell.size.max()), 1e-9)
        bucket = (len(shell.faces), *np.round(shell.low / scale, 4).astype(int).tolist())
        for other in seen.setdefault(bucket, []):
            boxes = np.abs(np.r_[shell.low - other.low, shell.high - other.high]).max() <= SAME * scale
            if (
                boxes
                and np.isclose(shell.volume, other.volume, rtol=SAME)
                and np.isclose(shell.area, other.area, rtol=SAME)
            ):
                break
        else:
            seen[bucket].append(shell)
            kept.append(shell)
    return kept, len(shells) - len(kept)


def _inside(inner: Shell, outer: Shell) -> bool:
    """True when the box of `inner` lies in the box of `outer` and its points lie within the outer surface."""
    if (inner.low < outer.low - 1e-9).any() or (inner.high > outer.high + 1e-9).any():
        return False
    picks = np.linspace(0, len(inner.vertices) - 1, 3).astype(int)
    votes = [abs(mesh.winding(inner.vertices[pick], outer.vertices, outer.faces)) > 0.5 for pick in picks]
    return sum(votes) >= 2


def _united(shells: list[Shell]) -> tuple[float | None, int]:
    """(volume of the union, how many solids overlap another). None when the union cannot be formed."""
    if not shells:
        return 0.0, 0
    low = np.array([shell.low for shell in shells])
    high = np.array([shell.high for shell in shells])
    touching = (low[:, None] <= high[None]).all(axis=2) & (high[:, None] >= low[None]).all(axis=2)
    groups = _groups(np.asarray(touching))
    total, overlapping = 0.0, 0
    for group in groups:
        alone = sum(shells[number].volume for number in group)
        if len(group) == 1:
            total += alone
            continue
        solids = [_manifold(shells[number]) for number in group]
        if any(solid.status() != manifold3d.Error.NoError for solid in solids):
            return None, overlapping
        union = manifold3d.Manifold.batch_boolean(solids, manifold3d.OpType.Add)
        if union.status() != manifold3d.Error.NoError or union.is_empty():
            return None, overlapping
        if abs(union.volume() - alone) <= 1e-6 * alone:
            total += alone  # they only touch: the sum of the exact volumes is the better number
        else:
            total += union.volume()
            overlapping += len(group)
    return total, overlapping


def _groups(touching: NDArray[np.bool_]) -> list[list[int]]:
    left = set(range(len(touching)))
    groups = []
    while left:
        group, waiting = [], [left.pop()]
        while waiting:
            number = waiting.pop()
            group.append(number)
            near = [other for other in np.flatnonzero(touching[number]).tolist() if other in left]
            left.difference_update(near)
            waiting += near
        groups.append(sorted(group))
    return groups


def _manifold(shell: Shell) -> manifold3d.Manifold:
    return manifold3d.Manifold(
        manifold3d.Mesh64(
            np.ascontiguousarray(shell.vertices, np.float64), np.ascontiguousarray(shell.faces, np.uint64)
        )
    )
