"""Every finding a measurement can make: code, severity, and the sentence that says what to do."""

# ruff: noqa: E501 - a sentence stays in one piece for its translators

from typing import Literal

from ai_pipeline.cad.report import Finding
from ai_pipeline.errors import N_

Severity = Literal["info", "warning", "blocker"]

CATALOG: dict[str, tuple[Severity, str]] = {
    "nothing_shown": ("blocker", N_("No part of the file can be measured as it is: everything lies on hidden layers or could not be rebuilt. Choose the layers to read, or export the piece as STL.")),
    "hidden_left_out": ("info", N_("%(count)s parts on hidden layers were left out. Choose the layers if they belong to the piece.")),
    "tessellated": ("info", N_("The surfaces were cut into %(triangles)s triangles, nowhere more than %(tolerance)s mm off the CAD.")),
    "display_mesh_used": ("warning", N_("%(count)s solids could not be rebuilt exactly and were read from their display mesh: volume and weight are estimates, up to 5 %% off. Export STEP or STL for exact numbers.")),
    "brep_open": ("warning", N_("%(count)s solids did not close when they were rebuilt. Join their surfaces in Rhino, or export STL.")),
    "brep_unread": ("warning", N_("%(count)s surfaces could not be rebuilt and were left out. Export the piece as STL to have all of it measured.")),
    "subdivided": ("info", N_("%(count)s subdivision surfaces were read as fine meshes; their volume is an estimate, about 0.5 %% off.")),
    "linked_blocks": ("warning", N_("%(count)s blocks are linked to other files and were left out. Embed them and upload the file again.")),
    "supports_left_out": ("info", N_("%(count)s print supports were left out.")),
    "shapes_left_out": ("warning", N_("%(count)s objects without triangles (beams or slices) were left out.")),
    "units_assumed": ("info", N_("The file states no unit; millimeters are assumed.")),
    "units_implausible": ("blocker", N_("Read in %(unit)s the piece would be %(length)s mm long. Confirm the unit: %(proposals)s would fit a piece of jewelry.")),
    "open_mesh": ("blocker", N_("%(shells)s of %(total)s surfaces are open (%(edges)s open edges), so volume and weight are not known. Repair the file and upload it again.")),
    "inside_out": ("warning", N_("%(count)s surfaces were inside out and have been read the right way round.")),
    "mixed_winding": ("warning", N_("Faces of %(count)s surfaces pointed both ways and have been read as one closed surface.")),
    "cavities": ("info", N_("%(count)s closed cavities were taken off the volume. Check that the metal can be cast and drained.")),
    "nested_solid": ("warning", N_("%(count)s solids lie wholly inside another and were counted once.")),
    "overlapping_solids": ("info", N_("%(count)s solids overlap and were counted once.")),
    "duplicate_shells": ("warning", N_("%(count)s surfaces are exact copies of another and were counted once.")),
    "duplicate_faces": ("warning", N_("%(count)s triangles were stored twice and were counted once.")),
    "overlap_unresolved": ("blocker", N_("Overlapping solids could not be united, so volume and weight are not known. Unite them in your CAD program.")),
    "self_intersecting": ("blocker", N_("%(count)s triangles cross others of the same surface, so volume and weight are not known. Repair the surface there and upload it again.")),
    "casting_note": ("info", N_("Estimate only: printing takes %(low)s to %(high)s hours of a machine that prints many pieces at once. Casting is done by the flask, about a week at an outside caster. Agree who adds the shrinkage: usually 1.5 %% for a printed pattern and 3.5 %% for a mold.")),
    "no_volume": ("blocker", N_("The surfaces enclose no volume.")),
    "materials_ignored": ("info", N_("The material file that the OBJ names was not read; geometry only.")),
    "only_stones": ("warning", N_("Only stones were found, no metal.")),
    "preview_failed": ("warning", N_("No 3D preview could be made of this file.")),
}  # fmt: skip


def finding(code: str, **params: str | int | float) -> Finding:
    """The finding of that code with its parameters."""
    severity, message = CATALOG[code]
    return Finding(code=code, severity=severity, message=message, params=params)
