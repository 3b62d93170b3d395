"""Specific gravities of stones, g/cm3: JewelCraft and talk.jewelry lists; moissanite and cubic zirconia are trade
figures.
"""

GRAMS_PER_CARAT = 0.2
SPECIFIC_GRAVITY = {
    "diamond": 3.52, "moissanite": 3.22, "cubic_zirconia": 5.7, "sapphire": 4.00, "ruby": 4.00, "emerald": 2.72,
    "aquamarine": 2.72, "morganite": 2.72, "amethyst": 2.65, "citrine": 2.65, "quartz": 2.65, "spinel": 3.60,
    "garnet": 3.84, "tourmaline": 3.06, "topaz": 3.53, "peridot": 3.34, "tanzanite": 3.35, "opal": 2.15,
    "pearl": 2.70, "jade": 3.34, "turquoise": 2.76, "lapis": 2.75, "onyx": 2.65, "malachite": 3.9,
}  # fmt: skip
