"""RFC 3161 over HTTP: a time-stamp request in, a time-stamp token out."""

from pathlib import Path

from asn1crypto import tsp
from flask import Flask, Response, abort, request
from pyhanko.keys import load_cert_from_pemder, load_private_key_from_pemder
from pyhanko.sign.timestamps import DummyTimeStamper

from sandbox.frontdoor import FailurePlan, cut_connection, new_app


def create(failures: FailurePlan, key: Path, certificate: Path) -> Flask:
    """The Flask app; it signs with the PEM files `key` and `certificate`."""
    app = new_app("tsa", failures)
    stamper = DummyTimeStamper(load_cert_from_pemder(str(certificate)), load_private_key_from_pemder(str(key), None))

    @app.post("/")
    def stamp() -> Response:
        if request.content_type != "application/timestamp-query":
            abort(415, "send application/timestamp-query")
        failure = failures.take(request.path)
        if failure and failure.kind == "garbage":
            return Response("not a time-stamp", mimetype="application/timestamp-reply")
        if failure and failure.status and not failure.lose_answer:
            abort(failure.status)
        try:
            asked = tsp.TimeStampReq.load(request.get_data(), strict=True)
            answer: bytes = stamper.request_tsa_response(asked).dump()
        except ValueError:
            abort(400, "this is not a time-stamp request")
        if failure and failure.lose_answer:
            cut_connection()
        return Response(answer, mimetype="application/timestamp-reply")

    return app
