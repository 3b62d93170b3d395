"""Opening files for copying and describing them for the index."""

import hashlib
from pathlib import Path

import numpy as np

from ai_pipeline.cad.fingerprint.blocks import Blocks, RhinoBlocks, StepBlocks
from ai_pipeline.cad.fingerprint.glb import GlbSheet
from ai_pipeline.cad.fingerprint.obj import ObjSheet
from ai_pipeline.cad.fingerprint.ply import PlySheet
from ai_pipeline.cad.fingerprint.points import Corners
from ai_pipeline.cad.fingerprint.report import Shape
from ai_pipeline.cad.fingerprint.sheet import Sheet, Unmarkable
from ai_pipeline.cad.fingerprint.stl import open_stl
from ai_pipeline.cad.fingerprint.threemf import ThreemfSheet

OPENERS = {"STL": open_stl, "OBJ": ObjSheet, "PLY": PlySheet, "GLB": GlbSheet, "3MF": ThreemfSheet}
BLOCKS: dict[str, type[StepBlocks] | type[RhinoBlocks]] = {"STEP": StepBlocks, "3DM": RhinoBlocks}
MARKS = 16
_QUANTILES = (0.1, 0.3, 0.5, 0.7, 0.9)


def open_sheet(path: Path, kind: str) -> Sheet | None:
    """The file to be written again, or None when its points cannot be. It passed the checks of its format before."""
    try:
        return OPENERS[kind](path) if kind in OPENERS else None
    except Unmarkable:
        return None


def open_blocks(path: Path, kind: str) -> Blocks | None:
    """A STEP or 3DM file as pieces, or None."""
    try:
        return BLOCKS[kind](path) if kind in BLOCKS else None
    except Unmarkable:
        return None


def shape_of_mesh(kind: str, corners: Corners) -> Shape:
    """The description of a mesh."""
    a, b, c = corners.place[corners.faces.T]
    doubled = np.cross(b - a, c - a)
    middle = corners.place.mean(axis=0)
    edges = np.concatenate([np.linalg.norm(q - p, axis=1) for p, q in ((a, b), (b, c), (c, a))])
    sides = np.sort(np.ptp(corners.place, axis=0))[::-1]
    longest = float(sides[0]) or 1.0
    return Shape(
        format=kind,
        triangles=len(corners.faces),
        corners=len(corners.place),
        volume=abs(float(np.einsum("ij,ij->", a - middle, np.cross(b - middle, c - middle)) / 6.0)),
        area=float(np.linalg.norm(doubled, axis=1).sum() / 2.0),
        sides=sides.tolist(),
        ratios=[*(sides[1:] / longest).tolist(), *(np.quantile(edges, _QUANTILES) / longest).tolist()],
    )


def shape_of_blocks(kind: str, blocks: Blocks) -> Shape:
    """The description of a STEP or 3DM file."""
    marks = sorted(hashlib.sha256(item).hexdigest()[:16] for item in set(blocks.items))
    return Shape(format=kind, triangles=0, corners=len(blocks.items), marks=marks[:MARKS])
