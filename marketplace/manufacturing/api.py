"""API calls of the NDA and the CAD links."""

from typing import Any

from flask import request

from marketplace.kernel.errors import Invalid
from marketplace.manufacturing import nda_text, operations, queries
from marketplace.manufacturing.forms import ClauseForm, CopyOut, LinkIn, LinkOut, NdaOut, SignatureOut, SignIn
from marketplace.manufacturing.models import CadCopy, Nda
from marketplace.manufacturing.views import mint
from marketplace.orders.access import CadDoor, load_cad_door, load_order
from marketplace.orders.models import Order
from marketplace.policy.permissions import Permission as P
from marketplace.web.call import Call
from marketplace.web.forms import read_json
from marketplace.web.i18n import locale_code
from marketplace.web.section import Api

api = Api("manufacturing")


@api.get("/orders/<order_id>/nda", needs=P.NDA_READ, subject=load_order, returns=NdaOut, summary="The NDA to sign")
def nda(call: Call, order: Order) -> NdaOut:
    """The text in the reader's language, or in `?lang=`."""
    return _nda(call, order)


@api.call(
    "POST",
    "/orders/<order_id>/nda/sign",
    needs=P.NDA_SIGN,
    subject=load_order,
    body=SignIn,
    returns=SignatureOut,
    status=201,
    summary="Sign the NDA that was read",
)
def sign(call: Call, order: Order, body: SignIn) -> SignatureOut:
    """The signature; 409 `nda_changed` when the hash is of no current text."""
    made = operations.sign_nda(
        call.session,
        call.actor,
        order,
        typed_name=body.typed_name,
        sha256=body.sha256,
        user_agent=request.user_agent.string,
    )
    return _signature(made)


@api.call("POST", "/orders/<order_id>/nda/revoke", needs=P.NDA_CONTROL, subject=load_order, returns=SignatureOut)
def revoke(call: Call, order: Order) -> SignatureOut:
    """Revoke the NDA in force: no CAD link works from now on."""
    return _signature(operations.revoke_nda(call.session, call.actor, order))


@api.call("POST", "/orders/<order_id>/nda/issue", needs=P.NDA_CONTROL, subject=load_order, returns=NdaOut)
def issue(call: Call, order: Order) -> NdaOut:
    """Issue a new version, with an optional `clause`; older signatures stop counting."""
    clause = read_json(ClauseForm).clause if request.get_data() else ""
    operations.issue_nda(call.session, call.actor, order, clause or None)
    return _nda(call, order)


@api.call(
    "POST",
    "/orders/<order_id>/cad-links",
    needs=P.CAD_LINK,
    subject=load_cad_door,
    body=LinkIn,
    returns=LinkOut,
    status=201,
    summary="A single-use link to a CAD file, good for a minute",
)
def cad_link(call: Call, door: CadDoor, body: LinkIn) -> tuple[LinkOut, int]:
    """The link (201), or 202 while the person's own copy is being prepared: ask again, with another Idempotency-Key if
    any. 403 `nda_required` or `not_assigned` otherwise. Audited either way.
    """
    made = mint(call, door, body.asset)
    if isinstance(made, CadCopy):
        return LinkOut(url=None, expires_at=None, cad_copy=_copy(made)), 202
    token, link = made
    copy = call.session.get_one(CadCopy, link.copy_id)
    url = f"{call.settings.base_url}/cad/{token}"
    return LinkOut(url=url, expires_at=link.expires_at.isoformat(), cad_copy=_copy(copy)), 201


@api.get("/orders/<order_id>/cad-copies", needs=P.ORDER_READ, subject=load_order, summary="Copies made of the CAD")
def cad_copies(call: Call, order: Order) -> dict[str, Any]:
    """The copies of an order, newest first; the designer sees all, a workshop its own, nobody else any."""
    found = queries.copies_of(call.session, order.id)
    return {"items": [_copy(item).model_dump() for item in found]}


@api.get("/orders/<order_id>/cad-links", needs=P.ORDER_READ, subject=load_order, summary="Who fetched the CAD")
def cad_links(call: Call, order: Order) -> dict[str, Any]:
    """The links of an order; the designer sees all, a workshop its own, nobody else any."""
    found = queries.cad_fetches(call.session, order_id=order.id)
    return {
        "items": [
            {
                "filename": item.filename,
                "manufacturer": item.maker,
                "person": item.person,
                "nda_version": item.nda_version,
                "asked_at": item.asked_at.isoformat(),
                "used_at": item.used_at.isoformat() if item.used_at else None,
            }
            for item in found
        ]
    }


def _nda(call: Call, order: Order) -> NdaOut:
    language = request.args.get("lang") or nda_text.language_for(locale_code())
    if language not in nda_text.LANGUAGES:
        raise Invalid("language_unknown", "There is no text in this language; ask for en or zh_Hans.")
    text = operations.current_text(call.session, order, language)
    signed = operations.nda_of(call.session, order)
    return NdaOut(
        text=text.text,
        version=text.version,
        sha256=text.sha256,
        language=text.language,
        governing_language=nda_text.GOVERNING,
        languages=list(nda_text.LANGUAGES),
        signed=signed is not None,
        revoked=signed is not None and signed.revoked_at is not None,
    )


def _copy(row: CadCopy) -> CopyOut:
    return CopyOut(
        id=row.id,
        asset=row.asset_id,
        filename=row.filename,
        state=row.state,
        progress=row.progress,
        sha256=row.sha256,
        level=row.level,
        original_sha256=row.original_sha256,
        nda_version=row.nda_version,
        asked_at=row.created_at.isoformat(),
        fetched_at=row.fetched_at.isoformat() if row.fetched_at else None,
    )


def _signature(row: Nda) -> SignatureOut:
    return SignatureOut(
        id=row.id,
        version=row.version,
        sha256=row.sha256,
        language=row.language,
        typed_name=row.typed_name,
        signed_at=row.created_at.isoformat(),
    )
