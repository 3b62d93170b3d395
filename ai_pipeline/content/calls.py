"""The record of a model call that is kept beside what came of it."""

from typing import Any

from pydantic import BaseModel

from ai_pipeline.gemini import Reply


class Call(BaseModel):
    """What was sent to which model, and what it took.

    `cost_micros` is in millionths of a US dollar, None when unknown.
    """

    prompt: str
    model: str
    model_version: str
    prompt_tokens: int
    output_tokens: int
    cost_micros: int | None
    request_id: str
    attempts: int
    sent: dict[str, Any]

    @classmethod
    def of(cls, reply: Reply[Any], prompt: str) -> "Call":
        """The record of a reply to a versioned prompt."""
        return cls(
            prompt=prompt,
            model=reply.model,
            model_version=reply.model_version,
            prompt_tokens=reply.prompt_tokens,
            output_tokens=reply.output_tokens,
            cost_micros=reply.cost_micros,
            request_id=reply.request_id,
            attempts=reply.attempts,
            sent=reply.sent,
        )

    @property
    def from_sandbox(self) -> bool:
        """True when a stand-in answered, so that the page can say so."""
        return self.model_version.startswith("sandbox-")
