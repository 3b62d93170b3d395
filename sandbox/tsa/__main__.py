"""`python -m sandbox.tsa --port N --key FILE --certificate FILE`."""

import argparse
from pathlib import Path

from sandbox.frontdoor import FailurePlan, serve
from sandbox.tsa.app import create


def main() -> None:
    """Serve until told to stop."""
    parser = argparse.ArgumentParser(prog="sandbox.tsa", description="A local stand-in for a time-stamping authority.")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--key", type=Path, required=True)
    parser.add_argument("--certificate", type=Path, required=True)
    options = parser.parse_args()
    serve(create(FailurePlan(), options.key, options.certificate), options.port, lambda: None)


if __name__ == "__main__":
    main()
