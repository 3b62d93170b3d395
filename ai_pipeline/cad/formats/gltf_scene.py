"""The node tree of a glTF document: where each mesh stands. Trees only;
cycles, second parents and abysses are refused.
"""

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ai_pipeline.cad.shape import limit_count
from ai_pipeline.errors import Unreadable

MAX_NODES = 20_000
MAX_DEPTH = 256

Matrix = NDArray[np.float64]


def placed_meshes(document: dict[str, Any]) -> Iterator[tuple[str, int, Matrix]]:
    """(node name, mesh number, 4 x 4 transform to the scene) for each mesh of the default scene."""
    nodes = document.get("nodes", [])
    limit_count(len(nodes), "nodes", MAX_NODES)
    children = [_references(node.get("children", []), len(nodes)) for node in nodes]
    _require_tree(children)
    scenes = document.get("scenes", [])
    if scenes:
        roots = _references(scenes[document.get("scene", 0)].get("nodes", []), len(nodes))
    else:
        below = {child for family in children for child in family}
        roots = [number for number in range(len(nodes)) if number not in below]
    waiting = [(root, np.eye(4), 1) for root in roots]
    while waiting:
        number, parent, depth = waiting.pop()
        if depth > MAX_DEPTH:
            raise Unreadable("too_many_items", count=depth, items="nested nodes", limit=MAX_DEPTH)
        node = nodes[number]
        matrix = parent @ _local(node)
        if "mesh" in node:
            yield str(node.get("name", ""))[:60], int(node["mesh"]), matrix
        waiting += [(child, matrix, depth + 1) for child in children[number]]


def _references(numbers: Any, count: int) -> list[int]:
    if not isinstance(numbers, list) or any(
        isinstance(n, bool) or not isinstance(n, int) or not 0 <= n < count for n in numbers
    ):
        raise ValueError("not node numbers")
    return numbers


def _require_tree(children: list[list[int]]) -> None:
    parents = [0] * len(children)
    for family in children:
        for child in family:
            parents[child] += 1
    if any(count > 1 for count in parents):
        raise Unreadable("damaged", detail="a node has two parents")
    reached, waiting = 0, [number for number, count in enumerate(parents) if not count]
    while waiting:
        reached += 1
        waiting += children[waiting.pop()]
    if reached != len(children):
        raise Unreadable("damaged", detail="its nodes form a cycle")


def _local(node: dict[str, Any]) -> Matrix:
    if "matrix" in node:
        matrix = np.array(node["matrix"], dtype=np.float64).reshape(4, 4).T
    else:
        x, y, z, w = (float(value) for value in node.get("rotation", (0, 0, 0, 1)))
        turn = np.array(
            [
                [1 - 2 * (y * y + z * z), 2 * (x * y - z * w), 2 * (x * z + y * w)],
                [2 * (x * y + z * w), 1 - 2 * (x * x + z * z), 2 * (y * z - x * w)],
                [2 * (x * z - y * w), 2 * (y * z + x * w), 1 - 2 * (x * x + y * y)],
            ]
        )
        matrix = np.eye(4)
        matrix[:3, :3] = turn * np.array(node.get("scale", (1, 1, 1)), dtype=np.float64).reshape(3)
        matrix[:3, 3] = np.array(node.get("translation", (0, 0, 0)), dtype=np.float64).reshape(3)
    if not np.isfinite(matrix).all():
        raise Unreadable("damaged", detail="a transform is not a number")
    return matrix
