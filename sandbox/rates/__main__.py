"""`python -m sandbox.rates --port N`."""

import argparse

from sandbox.frontdoor import FailurePlan, serve
from sandbox.rates.app import create


def main() -> None:
    """Serve until told to stop."""
    parser = argparse.ArgumentParser(prog="sandbox.rates", description="A stand-in for the file of reference rates.")
    parser.add_argument("--port", type=int, required=True)
    serve(create(FailurePlan()), parser.parse_args().port, lambda: None)


if __name__ == "__main__":
    main()
