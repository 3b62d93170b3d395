"""What a workshop may hold: its profile, the NDA of an order, and single-use links to the CAD."""
