"""Designs: what a studio makes, its files, its measured facts, and whether it is listed."""
