"""Open CASCADE on a machine without a display: its one extension module is linked to OpenGL, X11 and Expat, which a
bare system may not have and which reading a file never calls.

Where one of those libraries is missing, a stand-in of the same name takes its place before the module is loaded: the
loader looks for a name that is already there. It has the functions that the module's own libraries ask for, all at an
address where no code is; none of them is ever called.
"""

import ctypes
import importlib
import os
import platform
import struct
import sys
import tempfile
from importlib import metadata
from pathlib import Path

PACKAGE = "cadquery-ocp-novtk"
NEEDED = ("libGL.so.1", "libX11.so.6", "libexpat.so.1")
ASKING = ("libTKOpenGl-", "libTKService-", "libfontconfig-")
PREFIXES = ("gl", "X")
# ELF, 64 bit, little endian (System V ABI, chapters 4 and 5): sizes, then the numbers of what is used of it.
MACHINES = {"x86_64": 62, "aarch64": 183}
HEADER, PROGRAM, SECTION, SYMBOL = 64, 56, 64, 24
LOAD, DYNAMIC, READ_WRITE, PAGE = 1, 2, 6, 0x10000
NULL, HASH, STRINGS, SYMBOLS, STRING_SIZE, SYMBOL_SIZE, SONAME = 0, 4, 5, 6, 10, 11, 14
DYNAMIC_SYMBOLS, UNDEFINED, GLOBAL_FUNCTION = 11, 0, 0x12


def load() -> None:
    """Import OCP, with stand-ins for the display libraries that are missing. Raises ImportError without OCP."""
    if platform.system() == "Linux" and platform.machine() in MACHINES:
        missing = [name for name in NEEDED if not _present(name)]
        if missing:
            asked = sorted({name for path in _libraries() for name in asked_for(path.read_bytes())})
            for name in missing:
                _stand_in(name, asked)
    flags = sys.getdlopenflags()
    sys.setdlopenflags(os.RTLD_LAZY)
    try:
        importlib.import_module("OCP")
    finally:
        sys.setdlopenflags(flags)


def _present(name: str) -> bool:
    try:
        ctypes.CDLL(name)
    except OSError:
        return False
    return True


def _libraries() -> list[Path]:
    files = metadata.files(PACKAGE) or []
    return [Path(str(file.locate())) for file in files if file.name.startswith(ASKING)]


def _stand_in(name: str, functions: list[str]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / name
        path.write_bytes(library(name, functions, MACHINES[platform.machine()]))
        ctypes.CDLL(str(path), mode=ctypes.RTLD_GLOBAL)


def asked_for(data: bytes) -> list[str]:
    """Names of display functions that a shared library expects others to have."""
    (sections,) = struct.unpack_from("<Q", data, 40)
    (count,) = struct.unpack_from("<H", data, 60)
    headers = [struct.unpack_from("<IIQQQQIIQQ", data, sections + SECTION * number) for number in range(count)]
    found = []
    for _, kind, _, _, start, size, link, _, _, _ in headers:
        if kind != DYNAMIC_SYMBOLS:
            continue
        strings = headers[link][4]
        for place in range(start, start + size, SYMBOL):
            name_at, _, _, section = struct.unpack_from("<IBBH", data, place)
            name = data[strings + name_at : data.index(b"\0", strings + name_at)].decode()
            if section == UNDEFINED and name.startswith(PREFIXES):
                found.append(name)
    return found


def library(name: str, functions: list[str], machine: int) -> bytes:
    """The bytes of a shared library that is called `name` and says that it has `functions`."""
    strings, offsets = b"\0" + name.encode() + b"\0", []
    for function in functions:
        offsets.append(len(strings))
        strings += function.encode() + b"\0"
    count = 1 + len(functions)  # the first symbol of every table is empty
    symbols_at = HEADER + 2 * PROGRAM
    hash_at = symbols_at + SYMBOL * count
    # One bucket whose chain runs through every symbol.
    chain = (number + 1 if 0 < number < count - 1 else 0 for number in range(count))
    table = struct.pack(f"<{3 + count}I", 1, count, int(count > 1), *chain)
    strings_at = hash_at + len(table)
    dynamic_at = -(-(strings_at + len(strings)) // 8) * 8
    symbols = bytes(SYMBOL) + b"".join(
        struct.pack("<IBBHQQ", offset, GLOBAL_FUNCTION, 0, 1, dynamic_at, 8) for offset in offsets
    )
    entries = ((SONAME, 1), (HASH, hash_at), (STRINGS, strings_at), (SYMBOLS, symbols_at), (STRING_SIZE, len(strings)),
               (SYMBOL_SIZE, SYMBOL), (NULL, 0))  # fmt: skip
    dynamic = b"".join(struct.pack("<QQ", *entry) for entry in entries)
    size = dynamic_at + len(dynamic)
    identity = b"\x7fELF\x02\x01\x01"
    header = struct.pack("<16sHHIQQQIHHHHHH", identity, 3, machine, 1, 0, HEADER, 0, 0, HEADER, PROGRAM, 2, 64, 0, 0)
    # The loader writes into the dynamic section.
    whole = struct.pack("<IIQQQQQQ", LOAD, READ_WRITE, 0, 0, 0, size, size, PAGE)
    part = struct.pack(
        "<IIQQQQQQ", DYNAMIC, READ_WRITE, dynamic_at, dynamic_at, dynamic_at, len(dynamic), len(dynamic), 8
    )
    return (header + whole + part + symbols + table + strings).ljust(dynamic_at, b"\0") + dynamic
