"""Pages of drafted words: asking, reading, editing, approving. They belong to the section of the designs."""

from flask import render_template, request
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from marketplace.designs.access import load_design
from marketplace.designs.models import Design
from marketplace.designs.pictures import gallery
from marketplace.designs.vocabulary import reason_text
from marketplace.kernel.errors import Invalid
from marketplace.policy.permissions import Permission
from marketplace.studio import operations
from marketplace.studio.forms import ContentForm, StoryForm
from marketplace.studio.models import ContentDraft
from marketplace.studio.operations import load_draft
from marketplace.studio.queries import drafts_of, jobs_of
from marketplace.studio.views import section, show
from marketplace.studio.wording import KIND_WORDS, words_context
from marketplace.web.call import Call
from marketplace.web.forms import FormState, read_form
from marketplace.web.navigate import see_other

MAX_PAGES = 40


#: The section of the designs, extended here and in upload_views, from where composition takes it.
__all__ = ["section"]


@section.get("/<design_id>/words", needs=Permission.DESIGN_READ, subject=load_design)
def words(call: Call, design: Design) -> ResponseReturnValue:
    """The panel of words, polled while something is being drafted."""
    context = words_context(drafts_of(call.session, design.id), jobs_of(call.session, design.id))
    pictures = gallery(call.session, design.id)
    return render_template(
        "studio/_words.html", design=design, pictures=pictures, sign=call.services.storage.image_url, **context
    )


@section.post("/<design_id>/words", needs=Permission.CONTENT_DRAFT, subject=load_design, on_invalid=show)
def draft_words(call: Call, design: Design) -> ResponseReturnValue:
    """Have a story or lookbook drafted."""
    operations.request_content(call.session, call.actor, design, [read_form(ContentForm).kind])
    return see_other("designs.show", design_id=design.id, _anchor="drafts")


@section.get("/<design_id>/words/<draft_id>", needs=Permission.CONTENT_APPROVE, subject=load_draft)
def edit_words(call: Call, draft: ContentDraft, form: FormState | None = None) -> ResponseReturnValue:
    """The draft as a form."""
    pictures = {p.id: p for p in gallery(call.session, draft.design_id)} if draft.kind == "lookbook" else {}
    return render_template(
        f"studio/edit_{draft.kind}.html",
        draft=draft,
        design_id=draft.design_id,
        form=form or FormState.of(**_values(draft)),
        kind_words=KIND_WORDS,
        reason_text=reason_text,
        pictures=pictures,
        sign=call.services.storage.image_url,
    )


@section.post(
    "/<design_id>/words/<draft_id>", needs=Permission.CONTENT_APPROVE, subject=load_draft, on_invalid=edit_words
)
def save_words(call: Call, draft: ContentDraft) -> ResponseReturnValue:
    """Keep the edited words; their claims are checked again."""
    if draft.kind == "story":
        given = read_form(StoryForm)
        paragraphs = [part.strip() for part in given.body.replace("\r\n", "\n").split("\n\n") if part.strip()]
        text = {**draft.text, "headline": given.title, "paragraphs": paragraphs}
        version = given.version
    else:
        text, version = _lookbook_form(draft)
    operations.edit_draft(call.session, call.actor, draft, text, base_version=version)
    return see_other("designs.show", toast=_("Saved."), design_id=draft.design_id, _anchor="drafts")


@section.post(
    "/<design_id>/words/<draft_id>/approve", needs=Permission.CONTENT_APPROVE, subject=load_draft, on_invalid=edit_words
)
def approve_words(call: Call, draft: ContentDraft) -> ResponseReturnValue:
    """Publish the words under one's name."""
    operations.approve_draft(call.session, call.actor, draft)
    return see_other("designs.show", toast=_("Approved."), design_id=draft.design_id, _anchor="drafts")


def _values(draft: ContentDraft) -> dict[str, object]:
    values: dict[str, object] = {
        "version": draft.version,
        "title": draft.text.get("headline" if draft.kind == "story" else "title", ""),
    }
    if draft.kind == "story":
        return {**values, "body": "\n\n".join(draft.text.get("paragraphs", []))}
    for number, page in enumerate(draft.text.get("pages", [])):
        values[f"heading_{number}"] = page.get("heading", "")
        values[f"caption_{number}"] = page.get("caption", "")
    return values


def _lookbook_form(draft: ContentDraft) -> tuple[dict[str, object], int]:
    """Title and captions as typed; pages keep their pictures, a page without any words is left out."""
    try:
        version = int(request.form.get("version", ""))
    except ValueError as error:
        raise Invalid("invalid", "Please reload the page and try again.") from error
    pages = []
    for number, page in enumerate(draft.text.get("pages", [])[:MAX_PAGES]):
        heading = request.form.get(f"heading_{number}", "").strip()[:200]
        caption = request.form.get(f"caption_{number}", "").strip()[:2000]
        if heading or caption:
            pages.append({**page, "heading": heading, "caption": caption, "approved": False})
    title = request.form.get("title", "").strip()[:200]
    if not title or not pages:
        raise Invalid("empty_lookbook", "A lookbook needs a title and at least one page with words.")
    return {**draft.text, "title": title, "pages": pages}, version
