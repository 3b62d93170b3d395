"""`python -m sandbox.gemini --port N`."""

import argparse

from sandbox.frontdoor import FailurePlan, serve
from sandbox.gemini.app import create
from sandbox.gemini.calls import Calls


def main() -> None:
    """Serve until told to stop."""
    parser = argparse.ArgumentParser(prog="sandbox.gemini", description="A local stand-in for the Gemini API.")
    parser.add_argument("--port", type=int, required=True)
    options = parser.parse_args()
    calls = Calls()
    serve(create(FailurePlan(), calls), options.port, calls.clear)


if __name__ == "__main__":
    main()
