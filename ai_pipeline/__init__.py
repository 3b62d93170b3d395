"""Bytes and paths in, facts and content out. Imports nothing of the rest of the product.

Files (each call parses in a child process without network, environment or inherited files):

* `ai_pipeline.intake.inspect_photo(path, filename=, declared_type=, out_dir=) -> PhotoReport`
* `ai_pipeline.intake.inspect_cad(path, filename=, declared_type=, out_dir=, unit=) -> CadReport`
* `ai_pipeline.intake.render_cad(path, filename=, out_dir=, alloy=, size=, views=, progress=) -> list[RenderedImage]`
* every one raises `ai_pipeline.errors.Unreadable(code, message, params)` for a file that is refused.

Weights: `ai_pipeline.cad.alloys.densities(rows)`, `Density.grams(volume_mm3)`; sizes:
`ai_pipeline.cad.sizes.ring_sizes(diameter_mm)`.

Words (need a `ai_pipeline.gemini.GeminiClient`):

* `ai_pipeline.content.story.draft_story(client, subject, images) -> StoryDraft`
* `ai_pipeline.content.lookbook.draft_lookbook(client, subject, images) -> LookbookDraft`
* `ai_pipeline.content.translate.translate(client, text, source, target, glossary, keep) -> Translation`
* `ai_pipeline.content.claims.check_claims(text, facts) -> list[ClaimFinding]`
* vendor trouble is `ai_pipeline.gemini.ModelBusy | ModelRefused | ModelGarbage | ModelMisconfigured`.
"""
