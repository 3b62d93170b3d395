"""Finds the task in a request: one part holds a JSON object with `task`; images come beside it."""

import base64
import binascii
import json
from dataclasses import dataclass, field
from typing import Any

#: Tokens that Gemini counts for one image of ordinary size (token documentation: 258 a tile).
IMAGE_TOKENS = 258


@dataclass(frozen=True, slots=True)
class Prompt:
    """What a request asks for. `task` is {} when no part holds one; `schema` is None for free text."""

    task: dict[str, Any]
    text: str
    images: list[bytes] = field(repr=False)
    schema: dict[str, Any] | None
    wants_image: bool
    aspect_ratio: str
    tokens: int


def read(model: str, body: dict[str, Any]) -> Prompt:
    """The prompt of a generateContent body."""
    config = body.get("generationConfig") or {}
    parts = [
        part
        for content in [body.get("systemInstruction") or {}, *(body.get("contents") or [])]
        if isinstance(content, dict)
        for part in content.get("parts") or []
        if isinstance(part, dict)
    ]
    texts = [part["text"] for part in parts if isinstance(part.get("text"), str)]
    images = [image for part in parts if (image := _image(part)) is not None]
    modalities = config.get("responseModalities") or []
    wants_image = "IMAGE" in modalities or (not modalities and ("image" in model or "banana" in model))
    text_format = (config.get("responseFormat") or {}).get("text") or {}
    schema = config.get("responseJsonSchema") or config.get("responseSchema") or text_format.get("schema")
    return Prompt(
        task=next((task for text in texts if (task := _task(text))), {}),
        text="\n".join(texts),
        images=images,
        schema=schema if isinstance(schema, dict) else None,
        wants_image=wants_image,
        aspect_ratio=str((config.get("imageConfig") or {}).get("aspectRatio", "")),
        tokens=sum(count_tokens(text) for text in texts) + IMAGE_TOKENS * len(images),
    )


def count_tokens(text: str) -> int:
    """About four letters, or one Han character, a token."""
    wide = sum(ord(c) > 0x2E80 for c in text)
    return wide + (len(text) - wide + 3) // 4


def _task(text: str) -> dict[str, Any]:
    decoder, start = json.JSONDecoder(), text.find("{")
    tries = 0
    while start >= 0 and tries < 50:
        try:
            found, _ = decoder.raw_decode(text, start)
        except (ValueError, RecursionError):
            found = None
        if isinstance(found, dict) and isinstance(found.get("task"), str):
            return found
        start, tries = text.find("{", start + 1), tries + 1
    return {}


def _image(part: dict[str, Any]) -> bytes | None:
    inline = part.get("inlineData") or part.get("inline_data")
    if not isinstance(inline, dict):
        return None
    try:
        return base64.b64decode(inline.get("data", ""), validate=False)
    except (binascii.Error, ValueError):
        return b""
