"""CAD files: read strictly, measure, preview, render.

Lengths in mm, areas in mm2, volumes in mm3 unless a name says otherwise.
"""
