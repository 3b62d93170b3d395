"""What we hold about one person, table by table, without the data of others."""

from datetime import date
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from marketplace.accounts.models import ApiToken, Invitation, LoginSession, Membership, Organization, User
from marketplace.audit.models import AuditEvent
from marketplace.catalog.models import SavedDesign
from marketplace.inbox.models import Digest, InboundMail, ReplyAddress
from marketplace.licensing.models import Addendum, LicenseEvent, Offer, Signature
from marketplace.manufacturing.models import CadCopy, CadLink, Nda
from marketplace.messaging.models import Message
from marketplace.notifications.models import Mail, MailSetting, Notification
from marketplace.privacy.models import PrivacyRequest
from marketplace.royalties.models import InquiryNote, SalesReport


def collect(session: Session, user_id: str) -> dict[str, list[dict[str, Any]]]:
    """Rows about the person by subject; secrets (hashes) are left out."""
    queries: dict[str, Any] = {
        "account": select(
            User.id, User.name, User.email, User.locale, User.created_at, User.email_confirmed_at,
            User.adult_declared_at, User.terms_version, User.terms_accepted_at,
        ).where(User.id == user_id),
        "memberships": select(Organization.id, Organization.name, Membership.role, Membership.created_at)
        .join(Membership, Membership.org_id == Organization.id)
        .where(Membership.user_id == user_id),
        "sessions": select(
            LoginSession.created_at, LoginSession.expires_at, LoginSession.ip, LoginSession.user_agent
        ).where(LoginSession.user_id == user_id),
        "api_tokens": select(ApiToken.created_at, ApiToken.expires_at, ApiToken.scopes).where(
            ApiToken.user_id == user_id
        ),
        "invitations_sent": select(Invitation.id, Invitation.created_at, Invitation.accepted_at).where(
            Invitation.invited_by == user_id
        ),
        "messages": select(Message.id, Message.negotiation_id, Message.text, Message.lang, Message.created_at).where(
            Message.user_id == user_id
        ),
        "offers": select(Offer.id, Offer.negotiation_id, Offer.version, Offer.terms, Offer.created_at).where(
            Offer.by_user_id == user_id
        ),
        "signatures": select(
            Signature.license_id, Signature.typed_name, Signature.drawn, Signature.at, Signature.ip,
            Signature.user_agent, Signature.disclosure_version, Signature.proved_at,
        ).where(Signature.user_id == user_id),
        "license_events": select(
            LicenseEvent.license_id, LicenseEvent.kind, LicenseEvent.at, LicenseEvent.details
        ).where(LicenseEvent.user_id == user_id),
        "addenda_proposed": select(Addendum.license_id, Addendum.kind, Addendum.reason, Addendum.created_at).where(
            Addendum.by_user_id == user_id
        ),
        "ndas": select(Nda.order_id, Nda.typed_name, Nda.ip).where(Nda.user_id == user_id),
        "cad_links": select(CadLink.order_id, CadLink.asset_id, CadLink.created_at, CadLink.used_at).where(
            CadLink.user_id == user_id
        ),
        "cad_copies": select(
            CadCopy.order_id, CadCopy.asset_id, CadCopy.created_at, CadCopy.sha256, CadCopy.fetched_at
        ).where(CadCopy.user_id == user_id),
        "saved_designs": select(SavedDesign.design_id, SavedDesign.created_at).where(SavedDesign.user_id == user_id),
        "notifications": select(
            Notification.kind, Notification.params, Notification.created_at, Notification.read_at
        ).where(Notification.user_id == user_id),
        "mail_settings": select(MailSetting.threads).where(MailSetting.user_id == user_id),
        "morning_summaries": select(Digest.day, Digest.mail_id).where(Digest.user_id == user_id),
        "reply_addresses": select(
            ReplyAddress.negotiation_id, ReplyAddress.created_at, ReplyAddress.expires_at
        ).where(ReplyAddress.user_id == user_id),
        "answers_by_mail": select(
            InboundMail.sender, InboundMail.state, InboundMail.reason, InboundMail.created_at, InboundMail.message_id
        )
        .join(ReplyAddress, ReplyAddress.id == InboundMail.address_id)
        .where(ReplyAddress.user_id == user_id),
        "mails": select(Mail.to, Mail.template, Mail.created_at, Mail.sent_at).where(Mail.user_id == user_id),
        "audit": select(AuditEvent.action, AuditEvent.subject, AuditEvent.created_at, AuditEvent.ip).where(
            AuditEvent.user_id == user_id
        ),
        "sales_reports": select(SalesReport.id, SalesReport.license_id, SalesReport.submitted_at).where(
            SalesReport.submitted_by == user_id
        ),
        "royalty_notes": select(
            InquiryNote.inquiry_id, InquiryNote.action, InquiryNote.text, InquiryNote.filename, InquiryNote.created_at
        ).where(InquiryNote.user_id == user_id),
        "data_requests": select(PrivacyRequest.id, PrivacyRequest.kind, PrivacyRequest.created_at).where(
            PrivacyRequest.user_id == user_id
        ),
    }  # fmt: skip
    return {
        name: [{k: _plain(v) for k, v in row._mapping.items()} for row in session.execute(query)]
        for name, query in queries.items()
    }


def _plain(value: Any) -> Any:
    return value.isoformat() if isinstance(value, date) else value
