"""`python -m sandbox.stripe --port N --webhook-url URL --webhook-secret S [--state FILE]`."""

import argparse
from pathlib import Path

from sandbox.frontdoor import serve
from sandbox.stripe.app import create


def main() -> None:
    """Serve until told to stop."""
    parser = argparse.ArgumentParser(prog="sandbox.stripe", description="A local stand-in for Stripe.")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--webhook-url", default="", help="where events are delivered; empty: nowhere")
    parser.add_argument("--webhook-secret", default="whsec_sandbox")
    parser.add_argument("--state", type=Path, help="a file that keeps everything across restarts")
    options = parser.parse_args()
    if options.state:
        options.state.parent.mkdir(parents=True, exist_ok=True)
    stripe = create(options.webhook_url, options.webhook_secret, options.state)
    stripe.start()
    serve(stripe.app, options.port, stripe.close)


if __name__ == "__main__":
    main()
