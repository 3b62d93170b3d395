"""From a prompt to the body of a generateContent answer."""

import base64
import json
import secrets
from typing import Any

from sandbox.frontdoor import Failure
from sandbox.gemini import images, schema, translation, writing
from sandbox.gemini.prompt import IMAGE_TOKENS, Prompt, count_tokens

#: A prompt that holds this is answered as blocked, so that a person can see it in the product.
BLOCK_WORD = "SANDBOX-BLOCK"
_MODEL_FAILURES = {"blocked", "truncated", "garbage", "empty", "recitation", "say"}


def compose(model: str, prompt: Prompt, failure: Failure | None) -> dict[str, Any]:
    """The answer; `failure.kind` may be blocked, truncated, garbage, empty, recitation or say."""
    kind = failure.kind if failure is not None and failure.kind in _MODEL_FAILURES else ""
    if kind == "blocked" or BLOCK_WORD in prompt.text:
        return _answer(model, prompt, [], None, block="PROHIBITED_CONTENT")
    if kind == "empty":
        return _answer(model, prompt, [], None)
    if kind == "recitation":
        return _answer(model, prompt, [], "RECITATION")
    if prompt.wants_image and kind == "":
        picture = base64.b64encode(images.enhanced(prompt.images, prompt.aspect_ratio)).decode()
        parts: list[dict[str, Any]] = [
            {"text": "Sandbox: levels evened, nothing else changed."},
            {"inlineData": {"mimeType": "image/png", "data": picture}},
        ]
        return _answer(model, prompt, parts, "STOP", image=True)
    text = _text(prompt)
    if kind == "say" and failure is not None:
        text = failure.text
    elif kind == "garbage":
        text = "Sure! Here is your JSON:\n{'headline': nope, ...}"
    elif kind == "truncated":
        return _answer(model, prompt, [{"text": text[: len(text) // 2]}], "MAX_TOKENS")
    return _answer(model, prompt, [{"text": text}], "STOP")


def _text(prompt: Prompt) -> str:
    task = prompt.task
    kind = task.get("task")
    made: dict[str, Any]
    if kind == "story":
        made = writing.story(task)
    elif kind == "lookbook":
        made = writing.lookbook(task, len(prompt.images))
    elif kind == "translate":
        made = translation.translate(task)
    elif kind in {"spec", "enhance"}:
        made = writing.spec(task)
    else:
        made = {}
    if prompt.schema is not None:
        return json.dumps(schema.fit(made, prompt.schema), ensure_ascii=False)
    if made:
        return json.dumps(made, ensure_ascii=False)
    return "This is the sandbox. It answers tasks with facts, and this prompt holds none."


def _answer(
    model: str,
    prompt: Prompt,
    parts: list[dict[str, Any]],
    finish: str | None,
    *,
    block: str | None = None,
    image: bool = False,
) -> dict[str, Any]:
    made = sum(count_tokens(part.get("text", "")) for part in parts) + (IMAGE_TOKENS * 5 if image else 0)
    answer: dict[str, Any] = {
        "usageMetadata": {
            "promptTokenCount": prompt.tokens,
            "candidatesTokenCount": made,
            "totalTokenCount": prompt.tokens + made,
        },
        "modelVersion": f"sandbox-{model}",
        "responseId": secrets.token_urlsafe(12),
    }
    if block is not None:
        answer["promptFeedback"] = {"blockReason": block}
    elif finish is not None:
        candidate: dict[str, Any] = {"index": 0, "finishReason": finish}
        if parts:
            candidate["content"] = {"role": "model", "parts": parts}
        answer["candidates"] = [candidate]
    return answer
