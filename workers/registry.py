"""Job name -> function, queue, bounds. The only place that knows both sides."""

from marketplace.db.jobs import JobName
from marketplace.payments.alerts import gave_up
from workers.jobs import (
    bank_files,
    books,
    cad_copies,
    content,
    evidence,
    exchange,
    inbox,
    invoices,
    licensing,
    mail,
    marks,
    messaging,
    money_back,
    orders,
    payments,
    photos,
    privacy,
    renders,
    royalties,
    studio,
    uploads,
)
from workers.run import Binding

#: Queues in the order a worker empties them; money before pictures.
QUEUES = ("urgent", "default", "heavy")

#: A job of money that gives up is seen by a person (`gave_up`); one that the clock starts again within the hour is not.
BINDINGS: dict[str, Binding] = {
    JobName.SEND_MAIL: Binding(mail.send, queue="urgent", timeout_s=60),
    JobName.PROCESS_ASSET: Binding(studio.process, timeout_s=300, max_attempts=4, on_failed=studio.process_failed),
    JobName.RENDER_CAD: Binding(
        renders.render, queue="heavy", timeout_s=1200, max_attempts=3, on_failed=renders.render_failed
    ),
    JobName.EDIT_PHOTO: Binding(photos.edit, timeout_s=300, max_attempts=4, on_failed=photos.edit_failed),
    JobName.PROPOSE_EDITS: Binding(photos.propose, timeout_s=300, max_attempts=3),
    JobName.MARK_COVERS: Binding(marks.mark_covers, timeout_s=300, max_attempts=6),
    JobName.MAKE_CAD_COPY: Binding(cad_copies.make, timeout_s=300, max_attempts=4, on_failed=cad_copies.make_failed),
    JobName.TRACE_CAD: Binding(
        cad_copies.trace, queue="heavy", timeout_s=1200, max_attempts=3, on_failed=cad_copies.trace_failed
    ),
    JobName.SWEEP_UPLOADS: Binding(uploads.sweep),
    JobName.DRAFT_STORY: Binding(content.story, timeout_s=180, max_attempts=4),
    JobName.DRAFT_LOOKBOOK: Binding(content.lookbook, timeout_s=180, max_attempts=4),
    JobName.TRANSLATE_MESSAGE: Binding(
        messaging.translate_message, timeout_s=180, max_attempts=5, on_failed=messaging.failed
    ),
    # The seal waits for the time-stamping authority, which may be away for hours.
    JobName.MAKE_LICENSE_DOCUMENT: Binding(licensing.make_document, max_attempts=20),
    JobName.EXPIRE_NEGOTIATIONS: Binding(licensing.expire, max_attempts=3),
    JobName.TELL_EDITION: Binding(licensing.tell_edition, max_attempts=5),
    JobName.EXPIRE_QUOTES: Binding(orders.expire_quotes, max_attempts=3),
    JobName.HANDLE_PAYMENT_EVENT: Binding(payments.handle_event, queue="urgent", max_attempts=12, on_failed=gave_up),
    JobName.RELEASE_ORDER_FUNDS: Binding(payments.release_funds, queue="urgent", max_attempts=12, on_failed=gave_up),
    JobName.SEND_TRANSFER: Binding(
        payments.send_transfer, queue="urgent", max_attempts=20, on_failed=payments.transfer_given_up
    ),
    JobName.RESEND_TRANSFER: Binding(payments.send_again, queue="urgent", max_attempts=12, on_failed=gave_up),
    JobName.MAKE_REFUND: Binding(
        money_back.make_refund, queue="urgent", max_attempts=20, on_failed=money_back.refund_given_up
    ),
    JobName.END_REFUND: Binding(money_back.end_refund, queue="urgent", max_attempts=12, on_failed=gave_up),
    JobName.REVERSE_TRANSFER: Binding(money_back.reverse, queue="urgent", max_attempts=20, on_failed=gave_up),
    JobName.COMPARE_BOOKS: Binding(books.compare, timeout_s=1200, max_attempts=3, on_failed=gave_up),
    JobName.ASSEMBLE_EVIDENCE: Binding(evidence.assemble, max_attempts=6, on_failed=evidence.assembly_failed),
    JobName.SUBMIT_EVIDENCE: Binding(
        evidence.submit, queue="urgent", max_attempts=12, on_failed=evidence.submit_failed
    ),
    JobName.RELEASE_ACCEPTED: Binding(payments.release_accepted, max_attempts=3),
    JobName.READ_INBOUND_MAIL: Binding(inbox.read_inbound, max_attempts=5, on_failed=inbox.inbound_failed),
    JobName.POST_MAIL_FILES: Binding(inbox.post_files, max_attempts=8, on_failed=inbox.files_failed),
    JobName.SEND_DIGESTS: Binding(inbox.send_digests, timeout_s=300, max_attempts=3),
    JobName.PREPARE_EXPORT: Binding(privacy.prepare_export),
    JobName.FETCH_RATES: Binding(exchange.fetch, max_attempts=6),
    JobName.ISSUE_INVOICES: Binding(invoices.issue, max_attempts=12, on_failed=gave_up),
    JobName.RESTORE_INVOICES: Binding(invoices.restore, max_attempts=12, on_failed=gave_up),
    JobName.MAKE_INVOICE_DOCUMENT: Binding(invoices.make_document, on_failed=gave_up),
    JobName.SWEEP_INVOICES: Binding(invoices.sweep, max_attempts=3),
    JobName.KEEP_ROYALTIES: Binding(royalties.keep, max_attempts=3),
    JobName.ISSUE_STATEMENT: Binding(royalties.issue_statement, on_failed=gave_up),
    JobName.FILL_BANK_FILE: Binding(bank_files.fill, queue="urgent", max_attempts=12, on_failed=gave_up),
    JobName.SETTLE_BANK_ITEM: Binding(bank_files.settle, queue="urgent", max_attempts=20, on_failed=gave_up),
    JobName.RECONCILE_PAYMENTS: Binding(payments.reconcile, max_attempts=3),
}


def queue_of(name: str) -> str:
    """The queue of a job; unknown names (of an older or newer release) go to the default queue."""
    found = BINDINGS.get(name)
    return found.queue if found else "default"
