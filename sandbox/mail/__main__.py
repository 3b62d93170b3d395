"""`python -m sandbox.mail --smtp-port N --http-port N [--state DIR]
[--inbound-domain D --inbound-url URL --inbound-key K]`.
"""

import argparse
import socket
from pathlib import Path

from sandbox.frontdoor import FailurePlan, serve
from sandbox.mail import smtp
from sandbox.mail.app import create
from sandbox.mail.inbound import Inbound
from sandbox.mail.inbox import Inbox


def main() -> None:
    """Serve until told to stop."""
    parser = argparse.ArgumentParser(prog="sandbox.mail", description="A local stand-in for a mail server.")
    parser.add_argument("--smtp-port", type=int, required=True)
    parser.add_argument("--http-port", type=int, required=True)
    parser.add_argument("--state", type=Path, help="a directory that keeps the mails across restarts")
    parser.add_argument("--inbound-domain", default="", help="mail to this domain is for the product")
    parser.add_argument("--inbound-url", default="", help="where such mail is posted; empty: nowhere")
    parser.add_argument("--inbound-key", default="", help="signs what is posted")
    options = parser.parse_args()
    if options.state:
        options.state.mkdir(parents=True, exist_ok=True)
    # The greeting would otherwise wait for a name server.
    socket.getfqdn = lambda _name="": "localhost"  # type: ignore[assignment]
    inbox, failures = Inbox(options.state), FailurePlan()
    inbound = Inbound(options.inbound_domain, options.inbound_url, options.inbound_key)
    controller = smtp.start(inbox, failures, inbound, options.smtp_port)

    def close() -> None:
        controller.stop()
        inbound.close()
        inbox.close()

    serve(create(inbox, failures, inbound), options.http_port, close)


if __name__ == "__main__":
    main()
