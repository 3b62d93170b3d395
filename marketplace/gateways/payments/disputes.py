"""Disputes: what the buyer's bank says, and what is answered."""

from io import BytesIO
from typing import Any

from marketplace.gateways import payment_readings as readings
from marketplace.gateways.payment_types import Dispute, Evidence, PaymentRejected
from marketplace.gateways.payments.client import PAGE, Client
from marketplace.gateways.payments.errors import vendor_errors

#: What the vendor takes as evidence, by its guide to file uploads: PDF, JPEG or PNG, 5 MB.
EVIDENCE_TYPES = {"application/pdf": "pdf", "image/jpeg": "jpg", "image/png": "png"}
MAX_EVIDENCE = 5 * 1024 * 1024


class Disputes(Client):
    """Reading disputes and sending evidence."""

    def dispute(self, dispute_id: str) -> Dispute:
        """One dispute as it is now."""
        with vendor_errors():
            return readings.dispute(self._client.v1.disputes.retrieve(dispute_id))

    def find_disputes(self, payment_intent: str) -> tuple[Dispute, ...]:
        """Every dispute of a payment, newest first."""
        with vendor_errors():
            found = self._client.v1.disputes.list({"payment_intent": payment_intent, "limit": PAGE})
            return tuple(readings.dispute(item) for item in found.auto_paging_iter())

    def upload_evidence(self, name: str, data: bytes, media_type: str, idempotency_key: str) -> str:
        """Keep a file at the vendor's for a dispute and return its id.

        Raises PaymentRejected `evidence_type` or `evidence_size` for what the vendor would not take.
        """
        if media_type not in EVIDENCE_TYPES:
            raise PaymentRejected("evidence_type", "Evidence must be a PDF, a JPEG or a PNG.")
        if not 0 < len(data) <= MAX_EVIDENCE:
            raise PaymentRejected("evidence_size", "A file of evidence may have up to 5 MB.")
        part = BytesIO(data)
        part.name = name if name.isascii() else f"evidence.{EVIDENCE_TYPES[media_type]}"
        params: Any = {"purpose": "dispute_evidence", "file": part}
        with vendor_errors():
            return self._client.v1.files.create(params, {"idempotency_key": idempotency_key}).id

    def submit_evidence(self, dispute_id: str, evidence: Evidence, *, submit: bool, idempotency_key: str) -> Dispute:
        """Put evidence on a dispute; with `submit` it goes to the bank, once and for good.

        Raises PaymentRejected when the time is up or evidence was sent before.
        """
        params: Any = {"evidence": {**evidence.texts, **evidence.files}, "submit": submit}
        with vendor_errors():
            return readings.dispute(
                self._client.v1.disputes.update(dispute_id, params, {"idempotency_key": idempotency_key})
            )
