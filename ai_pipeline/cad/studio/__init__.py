"""A small photographic studio for jewelry: lights, materials, camera and a CPU ray tracer on Embree and numpy."""
