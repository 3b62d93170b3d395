"""Seals on PDF documents: PAdES with the platform's key and an RFC 3161 time-stamp; the only importer of `pyhanko`.

The seal certifies the document: no change is allowed afterwards. The library is loaded when it is first used, because
it takes more than a second and only workers need it.
"""

from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from io import BytesIO
from typing import Any

from marketplace.kernel.errors import Unavailable

FIELD = "Seal"
#: Seconds to wait for the time-stamping authority.
TIMEOUT_S = 15


class SealFailed(Unavailable):
    """The document could not be sealed now: no key, no time-stamp, or the seal does not hold. Trying again is safe."""


@dataclass(frozen=True, slots=True)
class Seal:
    """What a seal says of a document.

    `whole` is false for a document that anything was added to or changed in after the seal; `ours` whether the key
    is one that the configured roots vouch for. `at` is the time-stamp's time.
    """

    whole: bool
    ours: bool
    at: datetime | None
    by: str

    @property
    def holds(self) -> bool:
        """Whether the document is as it was sealed, by us, with a time-stamp."""
        return self.whole and self.ours and self.at is not None


@dataclass(frozen=True)
class Seals:
    """The platform's key (PEM files) and the address of a time-stamping authority. `roots_file` vouches for both."""

    key_file: str
    certificate_file: str
    roots_file: str
    tsa_url: str

    def seal(self, pdf: bytes, *, reason: str, place: str) -> bytes:
        """The document with a seal that fixes every byte of it. Raises SealFailed."""
        from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
        from pyhanko.pdf_utils.misc import PdfError
        from pyhanko.sign import fields, signers
        from pyhanko.sign.general import SigningError
        from pyhanko.sign.timestamps.common_utils import TimestampRequestError
        from pyhanko.sign.timestamps.requests_client import RequestsHTTPTimeStamper

        stamper = RequestsHTTPTimeStamper(self.tsa_url, timeout=TIMEOUT_S)
        meta = signers.PdfSignatureMetadata(
            field_name=FIELD,
            md_algorithm="sha256",
            subfilter=fields.SigSeedSubFilter.PADES,
            certify=True,
            docmdp_permissions=fields.MDPPerm.NO_CHANGES,
            reason=reason,
            location=place,
        )
        # Without an appearance and outside the page, as PDF/A and PDF/UA want it of a field nobody sees.
        field = fields.SigFieldSpec(
            FIELD,
            on_page=0,
            box=(-2, -2, -2, -2),
            invis_sig_settings=fields.InvisSigSettings(set_print_flag=True, set_hidden_flag=False),
            readable_field_name="Seal",
        )
        try:
            writer = IncrementalPdfFileWriter(BytesIO(pdf))
            signer = signers.PdfSigner(meta, signer=self._signer, timestamper=stamper, new_field_spec=field)
            sealed: bytes = signer.sign_pdf(writer).getvalue()
        except (TimestampRequestError, SigningError, PdfError, OSError, ValueError) as error:
            raise SealFailed("seal_failed", "The document could not be sealed.") from error
        if not self.read(sealed).holds:
            raise SealFailed("seal_failed", "The document could not be sealed.")
        return sealed

    def read(self, pdf: bytes) -> Seal:
        """What the seal of a document of our own making says; a document without one is not whole."""
        from pyhanko.pdf_utils.misc import PdfError
        from pyhanko.pdf_utils.reader import PdfFileReader
        from pyhanko.sign.general import SigningError
        from pyhanko.sign.validation import validate_pdf_signature
        from pyhanko.sign.validation.errors import SignatureValidationError
        from pyhanko.sign.validation.status import SignatureCoverageLevel
        from pyhanko_certvalidator import ValidationContext

        try:
            found = PdfFileReader(BytesIO(pdf)).embedded_signatures
            if len(found) != 1:
                return _NONE
            context = ValidationContext(trust_roots=self._roots, allow_fetching=False)
            status = validate_pdf_signature(found[0], context, context)
        except (PdfError, SignatureValidationError, SigningError, ValueError):
            return _NONE
        stamp = status.timestamp_validity
        stamped = stamp is not None and stamp.intact and stamp.valid and stamp.trusted
        return Seal(
            whole=bool(status.bottom_line) and status.coverage is SignatureCoverageLevel.ENTIRE_FILE,
            ours=bool(status.trusted),
            at=stamp.timestamp if stamp is not None and stamped else None,
            by=str(status.signing_cert.subject.human_friendly),
        )

    @cached_property
    def _signer(self) -> Any:
        from pyhanko.sign import signers

        if not (self.key_file and self.certificate_file and self.tsa_url):
            raise SealFailed("seal_not_configured", "No key to seal documents with is configured.")
        # The first certificate of the file is the key's own, the others lead to a root.
        found = signers.SimpleSigner.load(
            self.key_file, self.certificate_file, ca_chain_files=(self.certificate_file,), key_passphrase=None
        )
        if found is None:
            raise SealFailed("seal_not_configured", "The key to seal documents with cannot be read.")
        return found

    @cached_property
    def _roots(self) -> list[Any]:
        from pyhanko.keys import load_certs_from_pemder

        return list(load_certs_from_pemder([self.roots_file]))


_NONE = Seal(whole=False, ours=False, at=None, by="")
