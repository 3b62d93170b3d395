"""The one file, dated today."""

import datetime as dt

from flask import Flask, Response

from sandbox.frontdoor import FailurePlan, new_app

#: Units for one euro: round numbers near those of autumn 2026, so that a reader sees at once where they come from.
RATES = {"USD": "1.1000", "GBP": "0.8700", "HKD": "8.5800", "CNY": "7.9000", "JPY": "165.00", "CHF": "0.9400"}


def create(failures: FailurePlan) -> Flask:
    """The Flask app."""
    app = new_app("rates", failures)

    @app.get("/stats/eurofxref/eurofxref-daily.xml")
    def daily() -> Response:
        failure = failures.take("/stats/eurofxref/eurofxref-daily.xml")
        if failure is not None:
            return Response(failure.text or "not now", status=failure.status or 500)
        today = dt.datetime.now(dt.UTC).date().isoformat()
        cubes = "".join(f'<Cube currency="{code}" rate="{rate}"/>' for code, rate in RATES.items())
        body = (
            '<?xml version="1.0" encoding="UTF-8"?>'
            '<gesmes:Envelope xmlns:gesmes="http://www.gesmes.org/xml/2002-08-01"'
            ' xmlns="http://www.ecb.int/vocabulary/2002-08-01/eurofxref">'
            "<gesmes:subject>Sandbox rates</gesmes:subject>"
            f'<Cube><Cube time="{today}">{cubes}</Cube></Cube></gesmes:Envelope>'
        )
        return Response(body, mimetype="text/xml")

    return app
