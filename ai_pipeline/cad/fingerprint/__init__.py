"""Copies that can be traced: a CAD file marked for one recipient, and finding out whose copy a file was.

A copy's secret is a 128-bit key. Every point of a mesh moves by less than a micrometer, in a direction that only the
key tells; the first facets are put in an order that only the key tells. To trace a file it is laid over the original,
which is on file, and what is left between the two is compared with the direction of every key. See docs/adr/0011.
"""
