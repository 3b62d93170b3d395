"""Licenses over the API."""

from flask import Response, request

from marketplace.accounts import step_up
from marketplace.gateways.s3_names import content_disposition
from marketplace.kernel.errors import Conflict
from marketplace.licensing import operations, queries
from marketplace.licensing.access import load_license
from marketplace.licensing.contract.signing import Given
from marketplace.licensing.license_views import start_checkout
from marketplace.licensing.models import License, Signature
from marketplace.licensing.shapes import CheckoutOut, LicenseOut, LicensePageOut, SignIn, license_out
from marketplace.payments.checkout import url_for_checkout
from marketplace.policy.permissions import Permission
from marketplace.web.call import AfterCommit, Call
from marketplace.web.section import Api

api = Api("licenses")

#: An agreement has a few pages; this bounds what is read into memory.
MAX_DOCUMENT_BYTES = 5_000_000


@api.get("/licenses", needs=Permission.LICENSE_LIST, returns=LicensePageOut, summary="Licenses, newest first")
def list_licenses(call: Call) -> LicensePageOut:
    """`state` filters; `expiring` gives those in force that end within 90 days."""
    found = queries.licenses(
        call.session,
        call.actor,
        state=request.args.get("state", ""),
        cursor=request.args.get("cursor"),
        limit=request.args.get("limit", 24, type=int),
    )
    return LicensePageOut(items=_out(call, list(found.items)), next_cursor=found.next_cursor)


@api.get(
    "/licenses/<license_id>",
    needs=Permission.LICENSE_READ,
    subject=load_license,
    returns=LicenseOut,
    summary="A license with its signatures",
)
def show_license(call: Call, held: License) -> LicenseOut:
    """State turns active by the payment service's word alone."""
    return _out(call, [held])[0]


@api.call(
    "POST",
    "/licenses/<license_id>/sign",
    needs=Permission.LICENSE_SIGN,
    subject=load_license,
    body=SignIn,
    returns=LicenseOut,
    summary="Sign for one's side",
)
def sign(call: Call, held: License, body: SignIn) -> LicenseOut:
    """`typed_name` is the person's name as in the account."""
    operations.sign(call.session, call.actor, held.id, given(call, body))
    call.session.flush()
    return _out(call, [held])[0]


@api.get(
    "/licenses/<license_id>/document",
    needs=Permission.LICENSE_READ,
    subject=load_license,
    summary="The agreement (PDF)",
)
def document(call: Call, held: License) -> Response:
    """The agreement, with the signature page once both have signed."""
    key = held.signed_document_key or held.document_key
    if key is None:
        raise Conflict("not_drafted", "The agreement is still being drawn up. Try again in a moment.")
    response = Response(call.services.storage.read(key, MAX_DOCUMENT_BYTES), mimetype="application/pdf")
    response.headers["Content-Disposition"] = content_disposition("attachment", f"license-{held.id}.pdf")
    return response


@api.call(
    "POST",
    "/licenses/<license_id>/checkout",
    needs=Permission.LICENSE_PAY,
    subject=load_license,
    returns=CheckoutOut,
    summary="The payment page of the license fee",
)
def checkout(call: Call, held: License) -> AfterCommit:
    """Asking again gives the same page."""
    checkout_id = start_checkout(call, held)
    return AfterCommit(lambda: CheckoutOut(url=url_for_checkout(call.services, call.actor, checkout_id)))


def given(call: Call, body: SignIn) -> Given:
    """The signature of a body, by a person who has proved to be the account's owner."""
    return Given(
        proved_at=step_up.confirm(call.session, call.actor, body.password),
        agree=body.agree,
        typed_name=body.typed_name,
        drawn=body.drawn,
        document_sha256=body.document_sha256,
        user_agent=request.user_agent.string,
    )


def _out(call: Call, rows: list[License]) -> list[LicenseOut]:
    ids = [row.negotiation_id for row in rows]
    more, titles = queries.around(call.session, call.actor, ids), queries.titles(call.session, ids)
    signed: dict[str, list[Signature]] = queries.signatures_of(call.session, [row.id for row in rows])
    return [
        license_out(call.actor, row, more[row.negotiation_id], titles[row.negotiation_id], signed.get(row.id, []))
        for row in rows
    ]
