"""Shells and what they enclose:
cavities are taken away, overlaps counted once, doubles dropped, open shells never guessed.
"""

from dataclasses import dataclass, field, replace

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
    """One connected surface in mm. `volume` is signed; `closed` means no open edge and one consistent outside.

    `body` is the part of the file that it comes from, and `index` its own number: that of the body for its largest
    surface, and for the others the next numbers that no body of the file has, whatever layers were read.
    """

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
    layer: str = ""
    body: int = 0
    index: int = 0

    def __post_init__(self) -> None:
        self.low, self.high = self.vertices.min(axis=0), self.vertices.max(axis=0)

    @property
    def size(self) -> NDArray[np.float64]:
        return self.high - self.low

    def turned(self) -> "Shell":
        """The same surface inside out."""
        return replace(self, faces=self.faces[:, ::-1], rewound=True, volume=-self.volume)


@dataclass
class Welding:
    """Shells of a whole file, the coarsest welding distance used (mm), how many exactly repeated faces were
    dropped, and the exact volume (mm3) of the bodies that have one, by body.
    """

    shells: list[Shell]
    tolerance: float
    doubles: int
    exact: dict[int, float] = field(default_factory=dict)


@dataclass
class Enclosed:
    """Volume in mm3, or None with the reason code why there is none; and what was met on the way.

    `vertices` and `faces` are the surface of the united material, empty when there is none; `pieces` counts how many
    parts it falls into.
    """

    volume: float | None
    reason: str | None
    cavities: int = 0
    turned: int = 0
    duplicates: int = 0
    nested: int = 0
    overlapping: int = 0
    solids: int = 0
    pieces: int = 0
    vertices: Points = field(default_factory=lambda: np.empty((0, 3)))
    faces: Faces = field(default_factory=lambda: np.empty((0, 3), np.int64))


def shells_of(bodies: list[Body], total: int | None = None) -> Welding:
    """Weld and split bodies into shells. `total` counts all parts of the file, those of unread layers too.

    A body that closes by itself stays by itself (a stone may share points with its seat); the open ones are welded to
    each other, because exporters cut one solid into groups by material.
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
        result += _split(points, faces, [body], np.zeros(len(faces), np.int64))
    if pool:
        sizes = [len(body.faces) for body in pool]
        starts = np.cumsum([0, *(len(body.vertices) for body in pool)])
        points = np.vstack([body.vertices for body in pool])
        faces = np.vstack([body.faces + start for body, start in zip(pool, starts, strict=False)])
        owner = np.repeat(np.arange(len(pool)), sizes)
        points, faces, tolerance, dropped = mesh.weld(points, faces)
        if dropped or len(owner) != len(faces):
            # Dropped faces have moved the numbers: names are lost, shapes are not.
            owner = np.zeros(len(faces), np.int64)
        coarsest, doubles = max(coarsest, tolerance), doubles + dropped
        result += _split(points, faces, pool, owner)
    limit_count(len(result), "shells", MAX_SHELLS)
    _number(result, total or 1 + max(body.index for body in bodies))
    exact = {body.index: body.exact_volume for body in bodies if body.exact_volume is not None}
    return Welding(result, coarsest, doubles, exact)


def joined(shells: list[Shell]) -> tuple[Points, Faces]:
    """The shells as one list of points and faces."""
    if not shells:
        return np.empty((0, 3)), np.empty((0, 3), np.int64)
    starts = np.cumsum([0, *(len(shell.vertices) for shell in shells)])
    faces = np.vstack([shell.faces + start for shell, start in zip(shells, starts, strict=False)])
    return np.vstack([shell.vertices for shell in shells]), faces


def _number(shells: list[Shell], total: int) -> None:
    ranks: dict[int, int] = {}
    for shell in shells:
        rank = ranks.get(shell.body, 0)
        ranks[shell.body] = rank + 1
        shell.index = shell.body + rank * total


def _split(points: Points, faces: Faces, bodies: list[Body], owner: NDArray[np.int64]) -> list[Shell]:
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
        body = bodies[int(np.bincount(owner[part]).argmax())]
        shells.append(
            Shell(
                own_points,
                own_faces,
                body.name,
                body.material,
                found.open,
                rewound,
                mesh.volume(own_points, own_faces),
                mesh.area(own_points, own_faces),
                closed=found.open == 0 and found.unpaired == 0,
                layer=body.layer,
                body=body.index,
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
    filled, emptied, islets = _united(hosts), _united(cavities), _united(islands)
    if filled is None or emptied is None or islets is None:
        result.reason = "overlap_unresolved"
        return result
    result.overlapping = filled.overlapping + islets.overlapping
    result.pieces = filled.pieces
    total = filled.volume - emptied.volume + islets.volume
    result.volume = total if total > 0 else None
    result.reason = None if total > 0 else "no_volume"
    meshes = [*filled.meshes, *((points, faces[:, ::-1]) for points, faces in emptied.meshes), *islets.meshes]
    starts = np.cumsum([0, *(len(points) for points, _ in meshes)])
    result.vertices = np.vstack([points for points, _ in meshes])
    result.faces = np.vstack([faces + start for (_, faces), start in zip(meshes, starts, strict=False)])
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


@dataclass
class _Union:
    volume: float = 0.0
    overlapping: int = 0
    pieces: int = 0
    meshes: list[tuple[Points, Faces]] = field(default_factory=list)


def _united(shells: list[Shell]) -> _Union | None:
    """The union, or None when it cannot be formed."""
    result = _Union()
    if not shells:
        return result
    low = np.array([shell.low for shell in shells])
    high = np.array([shell.high for shell in shells])
    touching = (low[:, None] <= high[None]).all(axis=2) & (high[:, None] >= low[None]).all(axis=2)
    for group in _groups(np.asarray(touching)):
        alone = sum(shells[number].volume for number in group)
        if len(group) == 1:
            result.volume += alone
            result.pieces += 1
            result.meshes.append((shells[group[0]].vertices, shells[group[0]].faces))
            continue
        solids = [_manifold(shells[number]) for number in group]
        if any(solid.status() != manifold3d.Error.NoError for solid in solids):
            return None
        union = manifold3d.Manifold.batch_boolean(solids, manifold3d.OpType.Add)
        if union.status() != manifold3d.Error.NoError or union.is_empty():
            return None
        if abs(union.volume() - alone) <= 1e-6 * alone:
            result.volume += alone  # they only touch: the sum of the exact volumes is the better number
        else:
            result.volume += union.volume()
            result.overlapping += len(group)
        surface = union.to_mesh64()
        points = np.asarray(surface.vert_properties)[:, :3].astype(np.float64)
        faces = np.asarray(surface.tri_verts).astype(np.int64)
        result.pieces += sum(piece.volume() > 0 for piece in union.decompose())
        result.meshes.append((points, faces))
    return result


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
