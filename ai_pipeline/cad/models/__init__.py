"""Parametric jewelry of our own: build a piece, export its CAD, take its pictures."""

from ai_pipeline.cad.models.export import export_glb, export_stl
from ai_pipeline.cad.models.piece import Design, Piece, Stone
from ai_pipeline.cad.models.registry import PIECES

__all__ = ["PIECES", "Design", "Piece", "Stone", "export_glb", "export_stl"]
