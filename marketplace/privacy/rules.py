"""Rules of data requests."""

from datetime import timedelta

from marketplace.kernel.states import Machine, step

#: GDPR article 12(3): within one month of receipt. Twenty-eight days is never longer.
TIME_LIMIT = timedelta(days=28)

REQUEST = Machine(
    "data request",
    "received",
    [
        step("received", "finish", ("system", "operator"), "done"),
        step("received", "fail", "system", "failed"),
        step("failed", "finish", ("system", "operator"), "done"),
    ],
)
