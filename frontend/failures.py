"""What can go wrong while building, told in words a newcomer can act on."""


class BuildError(Exception):
    """The build stopped. The message says what happened and what to do; the caller prints it and exits with 1."""


_KNOWN = (
    (
        ("ENOSPC", "No space left"),
        "The disk is full. Free some space (the front end needs about 300 MB) and run the build again.",
    ),
    (
        ("ENOTFOUND", "EAI_AGAIN", "ECONNREFUSED", "ECONNRESET", "ETIMEDOUT", "network request"),
        "The package registry cannot be reached. Check the network (or npm's proxy settings) and build again.",
    ),
    (
        ("EINTEGRITY",),
        "A downloaded package is not the one that was locked. Run `npm cache clean --force` and build again.",
    ),
    (
        ("EACCES", "EPERM"),
        "npm may not write here. Check who owns frontend/node_modules and npm's cache.",
    ),
    (
        ("can only install packages when your package.json and package-lock.json", "Missing:"),
        "package.json and package-lock.json differ. In frontend/ remove node_modules and the lock, then run"
        " `npm install --omit-lockfile-registry-resolved --ignore-scripts` and commit the new lock.",
    ),
)


def explain(output: str) -> str:
    """A sentence for the well-known failures of npm and esbuild found in `output`, else the last lines of it."""
    for marks, sentence in _KNOWN:
        if any(mark in output for mark in marks):
            return sentence
    return "\n".join(output.strip().splitlines()[-12:]) or "It ended without a word."
