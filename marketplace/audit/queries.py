"""Reading the audit log: one's own actions, and what others did to one's own objects."""

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from marketplace.audit.models import AuditEvent
from marketplace.web.paging import Page, page


def events(
    session: Session, *, org_id: str, subject: str | None = None, cursor: str | None = None, limit: int = 50
) -> Page[AuditEvent]:
    """Events by or about an organization, newest first; optionally about one object."""
    query = select(AuditEvent).where(or_(AuditEvent.org_id == org_id, AuditEvent.owner_org_id == org_id))
    if subject:
        query = query.where(AuditEvent.subject == subject)
    return page(session, query, (AuditEvent.id,), cursor=cursor, limit=limit)
