"""The one client of the language model that a worker process has."""

from functools import lru_cache

from ai_pipeline.gemini import GeminiClient
from marketplace.config import Settings


def client(settings: Settings) -> GeminiClient:
    """The client for these settings. Raises ModelMisconfigured without a key."""
    return _client(
        settings.gemini_api_key, settings.gemini_base_url, settings.gemini_text_model, settings.gemini_image_model
    )


@lru_cache(maxsize=4)
def _client(key: str, base_url: str, text_model: str, image_model: str) -> GeminiClient:
    return GeminiClient(key, base_url, text_model, image_model)
