"""The only importer of google.genai: one structured call, its cost, and four kinds of failure."""

import hashlib
import json
import random
import re
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Generic, TypeVar

import httpx2
from google import genai
from google.genai import errors, types
from pydantic import BaseModel, ValidationError

from ai_pipeline.budget import cost_micros

ATTEMPTS = 3
FIRST_DELAY_S, LONGEST_DELAY_S = 0.5, 8.0
MAX_IMAGES, MAX_IMAGE_BYTES = 8, 4 << 20
MAX_REQUEST_CHARS, MAX_ANSWER_CHARS = 60_000, 100_000
MAX_OUTPUT_TOKENS = 8192
BUSY_CODES = {408, 429, 500, 502, 503, 504}
JPEG = b"\xff\xd8\xff"

Schema = TypeVar("Schema", bound=BaseModel)


class ModelError(Exception):
    """A model call without a usable answer. `reason` is a short stable word, the text is for the log."""

    def __init__(self, reason: str, detail: str = "") -> None:
        self.reason = reason
        super().__init__(f"{reason}: {detail}" if detail else reason)


class ModelBusy(ModelError):
    """The service is overloaded, limits us or cannot be reached:
    try the job again later, not before `retry_after_s`.
    """

    def __init__(self, reason: str, detail: str = "", retry_after_s: float | None = None) -> None:
        self.retry_after_s = retry_after_s
        super().__init__(reason, detail)


class ModelRefused(ModelError):
    """The service will not answer this request (blocked, recitation, nothing said). Trying again changes nothing."""


class ModelGarbage(ModelError):
    """The answer is not what was asked for: cut off, not JSON, or against the schema. Nothing of it is kept."""


class ModelMisconfigured(ModelError):
    """Key, model name or request are wrong: an operator must act."""


@dataclass(frozen=True)
class Reply(Generic[Schema]):
    """A parsed answer and what it took. `cost_micros` is in millionths of a US dollar, None when unknown.

    `sent` is a JSON-serializable record of the request; images are named by size and SHA-256 only.
    """

    parsed: Schema
    model: str
    model_version: str
    prompt_tokens: int
    output_tokens: int
    cost_micros: int | None
    request_id: str
    attempts: int
    sent: dict[str, Any]


class GeminiClient:
    """A client of the Gemini API. `base_url` empty means Google's own. Safe to share between threads."""

    def __init__(
        self, api_key: str, base_url: str = "", text_model: str = "", image_model: str = "", timeout_s: float = 60.0
    ) -> None:
        self.text_model = text_model
        self.image_model = image_model
        self.timeout_s = timeout_s
        options = types.HttpOptions(
            base_url=base_url or None,
            timeout=int(timeout_s * 1000),
            retry_options=types.HttpRetryOptions(attempts=1),  # retries are ours: they must fit the time limit
        )
        if not api_key:
            raise ModelMisconfigured("no_key", "GEMINI_API_KEY is empty")
        # Kept for the life of the client: an SDK client that is collected closes its connections.
        self._client = genai.Client(api_key=api_key, http_options=options)

    def generate(
        self, task: str, instruction: str, request: dict[str, Any], images: list[bytes], schema: type[Schema]
    ) -> Reply[Schema]:
        """Ask the text model for `schema`, from an instruction, one JSON object of data, and JPEG images.

        Raises ModelBusy, ModelRefused, ModelGarbage, ModelMisconfigured; ValueError for images that are not plain JPEG
        or a
        request beyond the limits.
        """
        data = json.dumps({"task": task, **request}, ensure_ascii=False)
        if len(data) + len(instruction) > MAX_REQUEST_CHARS:
            raise ValueError("the request is too long")
        if len(images) > MAX_IMAGES or any(
            not image.startswith(JPEG) or len(image) > MAX_IMAGE_BYTES for image in images
        ):
            raise ValueError("images must be few, small and JPEG")
        parts = [types.Part.from_text(text=data)]
        parts += [types.Part.from_bytes(data=image, mime_type="image/jpeg") for image in images]
        config = types.GenerateContentConfig(
            system_instruction=instruction,
            response_mime_type="application/json",
            response_json_schema=schema.model_json_schema(),
            max_output_tokens=MAX_OUTPUT_TOKENS,
        )
        response, attempts = self._call([types.Content(role="user", parts=parts)], config)
        parsed = _parsed(response, schema)
        usage = response.usage_metadata
        prompt_tokens = (usage.prompt_token_count or 0) if usage else 0
        output_tokens = ((usage.candidates_token_count or 0) + (usage.thoughts_token_count or 0)) if usage else 0
        version = response.model_version or ""
        return Reply(
            parsed=parsed,
            model=self.text_model,
            model_version=version,
            prompt_tokens=prompt_tokens,
            output_tokens=output_tokens,
            cost_micros=cost_micros(self.text_model, version, prompt_tokens, output_tokens, datetime.now(UTC).date()),
            request_id=response.response_id or "",
            attempts=attempts,
            sent={
                "task": task,
                "model": self.text_model,
                "instruction": instruction,
                "request": request,
                "images": [{"bytes": len(image), "sha256": hashlib.sha256(image).hexdigest()} for image in images],
            },
        )

    def _call(
        self, contents: list[types.Content], config: types.GenerateContentConfig
    ) -> tuple[types.GenerateContentResponse, int]:
        """Call with a few retries that all fit into `timeout_s`."""
        deadline = time.monotonic() + self.timeout_s
        delay = FIRST_DELAY_S
        attempt = 0
        while True:
            attempt += 1
            try:
                return self._client.models.generate_content(
                    model=self.text_model, contents=contents, config=config
                ), attempt
            except ModelError:
                raise
            except Exception as error:
                known = _understood(error)
                if not isinstance(known, ModelBusy):
                    raise known from error
                wait = max(delay * random.uniform(0.5, 1.5), known.retry_after_s or 0.0)
                if attempt >= ATTEMPTS or wait > LONGEST_DELAY_S or time.monotonic() + wait >= deadline:
                    raise known from error
                time.sleep(wait)
                delay *= 3


def _understood(error: Exception) -> ModelError:
    """Which of ours a vendor or transport error is. Its text is kept short and never holds the key."""
    if isinstance(error, errors.APIError):
        detail = str(error.message or "")[:300]
        if error.code in BUSY_CODES:
            reason = "rate_limited" if error.code == 429 else "unavailable"
            return ModelBusy(reason, detail, _retry_after(error))
        return ModelMisconfigured(f"http_{error.code}", detail)
    if isinstance(error, httpx2.TimeoutException):
        return ModelBusy("timeout")
    if isinstance(error, httpx2.TransportError | OSError):
        return ModelBusy("unreachable", type(error).__name__)
    if isinstance(error, errors.UnknownApiResponseError | ValidationError | ValueError):
        return ModelGarbage("not_json", type(error).__name__)
    raise error


def _retry_after(error: errors.APIError) -> float | None:
    """Seconds of the RetryInfo detail, if the service sent one."""
    found = re.search(r"retryDelay'?\"?: *'?\"?([0-9.]+)s", str(error.details))
    return float(found.group(1)) if found else None


def _parsed(response: types.GenerateContentResponse, schema: type[Schema]) -> Schema:
    feedback = response.prompt_feedback
    if feedback and feedback.block_reason:
        raise ModelRefused("blocked", str(feedback.block_reason))
    if not response.candidates:
        raise ModelRefused("empty")
    candidate = response.candidates[0]
    finish = candidate.finish_reason
    if finish == types.FinishReason.MAX_TOKENS:
        raise ModelGarbage("cut_off")
    if finish not in (None, types.FinishReason.STOP):
        raise ModelRefused(str(finish.value).lower() if finish else "empty")
    parts = (candidate.content.parts or []) if candidate.content else []
    text = "".join(part.text for part in parts if part.text and not part.thought)
    if not text.strip():
        raise ModelRefused("empty")
    if len(text) > MAX_ANSWER_CHARS:
        raise ModelGarbage("too_long", f"{len(text)} characters")
    try:
        return schema.model_validate_json(text)
    except ValidationError as error:
        raise ModelGarbage("schema", f"{error.error_count()} errors in {schema.__name__}") from None
