"""Errors in the shape that Stripe answers with."""

from typing import Any


class ApiError(Exception):
    """`type` and `code` as in the API reference; `store` says whether an idempotency key remembers it."""

    def __init__(
        self,
        message: str,
        *,
        code: str | None = None,
        type: str = "invalid_request_error",
        status: int = 400,
        store: bool = True,
        **more: Any,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.store = store
        self.body = {"error": {"type": type, "code": code, "message": message, **more}}
        if code is None:
            del self.body["error"]["code"]


def missing(kind: str, object_id: Any) -> ApiError:
    """There is no such object."""
    return ApiError(f"No such {kind}: '{object_id}'", code="resource_missing", status=404, param="id")
