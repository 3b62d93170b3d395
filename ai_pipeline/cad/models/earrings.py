"""Earrings, one of the pair each; they face -Y with the ear behind. Dimensions in millimeters."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ai_pipeline.cad.models import gems, settings, solids
from ai_pipeline.cad.models.bands import court_section
from ai_pipeline.cad.models.pendants import facing
from ai_pipeline.cad.models.piece import Piece

Array = npt.NDArray[np.float64]

POST = 0.45
"""Radius of an ear post: 0.9 mm thick, above the 0.8 mm minimum of the trade."""


@dataclass(frozen=True)
class ClawStuds:
    """A brilliant in a four-claw basket on a straight post."""

    stone: float = 5.2

    def build(self) -> Piece:
        """The post is notched for a friction back."""
        gem = gems.cut("round", "diamond", self.stone)
        culet = -float(gem.mesh.bounds[0, 2])
        head = settings.Head(
            gem,
            (45.0, 135.0, 225.0, 315.0),
            depth=culet + 0.55,
            foot=0.26,
            claw=0.5,
            rail=0.42,
            rails=(1.25, culet + 0.25),
        )
        body = head.metal() - settings.seat(gem)
        face, stone = facing(body, gem, (0, 0, 0))
        back = culet + 0.35
        plate = solids.sphere(0.95, (0, back + 0.2, 0), around=64).scale((1, 1, 1))
        post = solids.tube(np.array([[0.0, back, 0.0], [0, back + 5, 0], [0, back + 10.2, 0]]), POST, around=40)
        notch = solids.torus(POST + 0.12, 0.17, (0, back + 8.6, 0), (0, 1, 0))
        metal = solids.to_trimesh(face + (plate + post - notch - settings.seat(stone)))
        return Piece(metal, (stone,), thinnest_mm=0.8)


@dataclass(frozen=True)
class PearDrops:
    """A pear in a bezel under a small brilliant, on a shepherd hook."""

    length: float = 10.0
    width: float = 7.0
    species: str = "amethyst"

    def build(self) -> Piece:
        """Hook wire is 0.9 mm; the two bezels are joined by a stem."""
        pear = gems.cut("pear", self.species, self.length, self.width)
        low = -float(pear.mesh.bounds[0, 2])
        setting = settings.bezel(pear, wall=0.85, above=0.55, below=low + 0.5) - settings.seat(pear)
        drop, stone = facing(setting, pear, (0, 0, 0))
        top = gems.cut("round", "diamond", 2.6)
        high = self.length / 2 + 3.1
        collar = settings.bezel(top, wall=0.8, above=0.32, below=1.5) - settings.seat(top)
        accent, spark = facing(collar, top, (0, 0, high))
        stem = solids.tube(
            np.array([[0, 0.7, self.length / 2 + 0.3], [0, 0.7, self.length / 2 + 1.3], [0, 0.7, high - 1.5]]), 0.55
        )
        wire = solids.spline(
            [(0, 0.75, high + 1.5), (0, 0.7, high + 3.2), (0, 1.2, high + 6.5), (0, 3.6, high + 10.0),
             (0, 7.4, high + 10.6), (0, 10.2, high + 8.0), (0, 10.9, high + 3.4), (0, 11.0, high - 1.5),
             (0, 11.7, high - 4.2)], 200,
        )  # fmt: skip
        hook = solids.tube(wire, POST, around=36)
        bead = solids.sphere(0.8, (0, 0.75, high + 2.3), around=64)
        metal = solids.to_trimesh(solids.union([drop, accent, stem, hook, bead]))
        return Piece(metal, (stone, spark), thinnest_mm=0.8)


@dataclass(frozen=True)
class Huggies:
    """A small hinged-look hoop with brilliants along its front."""

    inner: float = 10.5
    width: float = 3.0
    thickness: float = 1.9
    stone: float = 1.5
    count: int = 9

    def build(self) -> Piece:
        """The hoop stands in the YZ plane; a knuckle hinge sits below, the post closes at the back."""
        r = self.inner / 2

        def profile(phi: float) -> Array:
            front = 0.5 + 0.5 * np.cos(phi)
            return court_section(
                r,
                self.width * (0.72 + 0.28 * front),
                self.thickness * (0.84 + 0.16 * front),
                inner=6.0,
                outer=2.4 + 4.5 * front**2,
            )

        hoop = solids.band(profile)
        top = r + self.thickness
        step = (self.stone + 0.2) / top
        angles = step * (np.arange(self.count) - (self.count - 1) / 2)
        places = [
            (
                top * np.array([np.sin(a), 0, np.cos(a)]),
                np.array([np.sin(a), 0, np.cos(a)]),
                np.array([np.cos(a), 0, -np.sin(a)]),
            )
            for a in angles
        ]
        row = settings.pave(places, self.stone, bead=0.21, hole=self.thickness + 0.4)
        at = np.radians(112)
        knuckle = np.array([(r + 1.1) * np.sin(at), 0, (r + 1.1) * np.cos(at)])
        barrel = solids.cylinder(0.95, knuckle - np.array([0, 1.25, 0]), knuckle + np.array([0, 1.25, 0]), around=64)
        slots = [solids.torus(1.05, 0.16, knuckle + np.array([0, y, 0]), (0, 1, 0)) for y in (-0.5, 0.5)]
        clasp = np.radians(-118)
        seam_at = np.array([(r + 1.0) * np.sin(clasp), 0, (r + 1.0) * np.cos(clasp)])
        body = solids.union([hoop, barrel, *row.beads]) - solids.union([*row.seats, *slots])
        # The seam where the hoop opens is a shallow groove, so that the CAD stays one solid.
        groove = [solids.torus(self.width * 0.62, 0.14, seam_at, (float(np.cos(clasp)), 0, -float(np.sin(clasp))))]
        body = body - solids.union(groove)
        turn = np.array([[0.0, 1, 0, 0], [0, 0, -1, 0], [-1, 0, 0, 0]])
        matrix = np.vstack([turn, [0, 0, 0, 1]])
        metal = solids.to_trimesh(body.transform(turn))
        return Piece(metal, tuple(s.moved(matrix) for s in row.stones), thinnest_mm=0.8)
