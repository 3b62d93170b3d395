"""Shut the current process in: resource limits, Landlock and seccomp, through ctypes and without privileges.

Called by the child alone, before it imports any library that parses input. What the kernel does not offer is left out
and
the caller is told what holds, so that a report never claims more isolation than there was.
"""

import ctypes
import os
import platform
import resource
import signal
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

PR_SET_PDEATHSIG, PR_SET_NO_NEW_PRIVS = 1, 38
SYS_LANDLOCK_CREATE, SYS_LANDLOCK_ADD, SYS_LANDLOCK_RESTRICT = 444, 445, 446  # the same on every architecture

# Landlock access bits, linux/landlock.h.
EXECUTE, WRITE_FILE, READ_FILE, READ_DIR, REMOVE_DIR, REMOVE_FILE = 1 << 0, 1 << 1, 1 << 2, 1 << 3, 1 << 4, 1 << 5
MAKE_DIR, MAKE_REG, REFER, TRUNCATE, IOCTL_DEV = 1 << 7, 1 << 8, 1 << 13, 1 << 14, 1 << 15
READ_ONLY = EXECUTE | READ_FILE | READ_DIR
READ_WRITE = WRITE_FILE | READ_FILE | READ_DIR | REMOVE_DIR | REMOVE_FILE | MAKE_DIR | MAKE_REG
FILE_ONLY = EXECUTE | WRITE_FILE | READ_FILE | TRUNCATE

# seccomp: (audit architecture, seccomp, clone, clone3, calls that fail with EPERM).
# Refused: sockets, exec, fork, signals to and reading of other processes, mounts, namespaces, bpf, io_uring, keys,
# modules, reboot.
ARCHITECTURES: dict[str, tuple[int, int, int, int, tuple[int, ...]]] = {
    "x86_64": (
        0xC000003E, 317, 56, 435,
        (41, 42, 43, 49, 50, 53, 57, 58, 59, 62, 101, 165, 166, 169, 175, 176, 246, 248, 249, 250, 272, 288, 298, 308,
         310, 311, 313, 317, 321, 322, 323, 424, 425, 426, 427, 434, 438),
    ),
    "aarch64": (
        0xC00000B7, 277, 220, 435,
        (39, 40, 97, 104, 105, 106, 117, 129, 142, 198, 199, 200, 201, 202, 203, 217, 218, 219, 221, 241, 242, 268,
         270, 271, 273, 277, 280, 281, 282, 294, 424, 425, 426, 427, 434, 438),
    ),
}  # fmt: skip
CLONE_THREAD = 0x00010000
EPERM, ENOSYS = 1, 38


@dataclass(frozen=True)
class Limits:
    """What one task may use. Memory is address space: libraries reserve more than they touch."""

    wall_s: float
    cpu_s: int
    memory_mb: int
    file_mb: int
    open_files: int = 256


def limit_resources(limits: Limits) -> None:
    """Set the resource limits of this process and ask for a kill when its parent dies. No core file is ever written."""
    mb = 1 << 20
    for kind, value in (
        (resource.RLIMIT_AS, limits.memory_mb * mb),
        (resource.RLIMIT_FSIZE, limits.file_mb * mb),
        (resource.RLIMIT_NOFILE, limits.open_files),
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_CPU, limits.cpu_s),
    ):
        _, hard = resource.getrlimit(kind)
        ceiling = value if hard == resource.RLIM_INFINITY else min(value, hard)
        try:
            resource.setrlimit(kind, (ceiling, ceiling))
        except (ValueError, OSError):
            continue  # macOS refuses a bound on address space; the parent's clock still ends the child
    if platform.system() == "Linux":
        _libc().prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)


def isolate(read: Sequence[Path], write: Sequence[Path]) -> str:
    """Confine the process to `read` (files and folders) and `write` (folders); no sockets, no new programs.

    Returns what holds: "landlock+seccomp", "landlock", "seccomp" or "rlimits".
    """
    held = []
    if platform.system() == "Linux":
        if _landlock(read, write):
            held.append("landlock")
        if _seccomp():
            held.append("seccomp")
    return "+".join(held) or "rlimits"


def _libc() -> ctypes.CDLL:
    return ctypes.CDLL(None, use_errno=True)


def _landlock(read: Sequence[Path], write: Sequence[Path]) -> bool:
    libc = _libc()
    abi = libc.syscall(SYS_LANDLOCK_CREATE, None, 0, 1)
    if abi < 1:
        return False
    handled = (1 << 13) - 1
    handled |= (REFER if abi >= 2 else 0) | (TRUNCATE if abi >= 3 else 0) | (IOCTL_DEV if abi >= 5 else 0)
    fields = [handled]
    if abi >= 4:
        fields.append(0b11)  # TCP bind and connect: handled and never allowed
    if abi >= 6:
        fields.append(0b11)  # abstract sockets and signals stay inside
    attributes = struct.pack(f"{len(fields)}Q", *fields)
    ruleset = libc.syscall(SYS_LANDLOCK_CREATE, attributes, len(attributes), 0)
    if ruleset < 0:
        return False
    try:
        truncate = TRUNCATE if abi >= 3 else 0
        for paths, access in ((read, READ_ONLY), (write, READ_WRITE | truncate)):
            for path in paths:
                if not _allow(libc, ruleset, path, access):
                    return False
        libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
        return bool(libc.syscall(SYS_LANDLOCK_RESTRICT, ruleset, 0) == 0)
    finally:
        os.close(ruleset)


def _allow(libc: ctypes.CDLL, ruleset: int, path: Path, access: int) -> bool:
    try:
        handle = os.open(path, os.O_PATH | os.O_CLOEXEC)
    except OSError:
        return True  # nothing there: nothing to allow
    try:
        allowed = access if path.is_dir() else access & FILE_ONLY
        rule = struct.pack("=Qi", allowed, handle)
        return bool(libc.syscall(SYS_LANDLOCK_ADD, ruleset, 1, rule, 0) == 0)
    finally:
        os.close(handle)


def _seccomp() -> bool:
    known = ARCHITECTURES.get(platform.machine())
    if known is None:
        return False
    audit, number, clone, clone3, refused = known
    load, equal, bits, give = 0x20, 0x15, 0x45, 0x06
    fail = 0x00050000
    program = [
        (load, 0, 0, 4),
        (equal, 1, 0, audit),
        (give, 0, 0, 0x80000000),  # another ABI: kill
        (load, 0, 0, 0),
        (bits, 0, 1, 0x40000000),  # x32 numbers: kill
        (give, 0, 0, 0x80000000),
    ]
    for call in refused:
        program += [(equal, 0, 1, call), (give, 0, 0, fail | EPERM)]
    # clone3 hides its flags behind a pointer: say "not there", so that libc falls back to clone.
    program += [(equal, 0, 1, clone3), (give, 0, 0, fail | ENOSYS)]
    # clone makes threads, never processes.
    program += [(equal, 0, 3, clone), (load, 0, 0, 16), (bits, 1, 0, CLONE_THREAD), (give, 0, 0, fail | EPERM)]
    program.append((give, 0, 0, 0x7FFF0000))
    code = b"".join(struct.pack("HBBI", *line) for line in program)
    buffer = ctypes.create_string_buffer(code, len(code))

    class Filter(ctypes.Structure):
        _fields_ = [("length", ctypes.c_ushort), ("code", ctypes.c_void_p)]

    libc = _libc()
    libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
    wanted = Filter(len(program), ctypes.cast(buffer, ctypes.c_void_p))
    return bool(libc.syscall(number, 1, 0, ctypes.byref(wanted)) == 0)
