"""Who listens on a port, as far as the system lets us see (Linux)."""

from pathlib import Path

_LISTEN = "0A"  # TCP_LISTEN, <net/tcp_states.h>


def port_owner(port: int) -> str:
    """`process 123 (nginx)` for the listener on this port, or `another program` when it cannot be seen."""
    inodes = _listening(port)
    for entry in Path("/proc").glob("[0-9]*") if inodes else ():
        try:
            holds = any(str(link.readlink()) in inodes for link in (entry / "fd").iterdir())
            if holds:
                return f"process {entry.name} ({(entry / 'comm').read_text().strip()})"
        except OSError:
            continue  # ended meanwhile, or somebody else's
    return "another program"


def _listening(port: int) -> set[str]:
    found = set()
    for table in (Path("/proc/net/tcp"), Path("/proc/net/tcp6")):
        try:
            rows = table.read_text().splitlines()[1:]
        except OSError:
            continue
        for row in rows:
            fields = row.split()
            if fields[3] == _LISTEN and int(fields[1].rpartition(":")[2], 16) == port:
                found.add(f"socket:[{fields[9]}]")
    return found
