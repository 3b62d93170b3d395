"""Job name -> function, queue, bounds. The only place that knows both sides."""

from marketplace.db.jobs import JobName
from workers.jobs import mail
from workers.run import Binding

#: Queues in the order a worker empties them; money before pictures.
QUEUES = ("urgent", "default", "heavy")

BINDINGS: dict[str, Binding] = {
    JobName.SEND_MAIL: Binding(mail.send, queue="urgent", timeout_s=60),
}


def queue_of(name: str) -> str:
    """The queue of a job; unknown names (of an older or newer release) go to the default queue."""
    found = BINDINGS.get(name)
    return found.queue if found else "default"
