"""The demo world, and a player of the whole main job; both speak to the product only as an outsider could."""
