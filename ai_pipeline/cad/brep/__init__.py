"""Boundary surfaces of CAD programs: solids with their exact volume, and their triangles to a stated tolerance.

These modules import Open CASCADE, which takes a second and may crash on damaged input: only the child of
`ai_pipeline.child` imports them, and only for a file that needs them.
"""

from ai_pipeline.cad.brep import display

display.load()
