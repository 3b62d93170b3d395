"""What a model is told about a piece: confirmed facts and a few words of its designer, all of it data."""

from typing import Any

from pydantic import BaseModel

from ai_pipeline.content.clean import clean

TITLE, WORDS, VALUE = 200, 2000, 300
MAX_FACTS = 80


class KnownFact(BaseModel):
    """A fact that may be claimed. Facts without a value are never sent."""

    name: str
    value: float | int | bool | str | None
    unit: str = ""
    source: str = "measured"


class Subject(BaseModel):
    """The piece to write about, in the language to write in (en, zh_Hans, zh_Hant, fr, it)."""

    title: str
    category: str
    designer: str
    language: str = "en"
    text: str = ""
    facts: list[KnownFact] = []

    def as_request(self) -> dict[str, Any]:
        """The data part of a prompt: text cleaned and bounded, untrusted values left out."""
        return {
            "facts": [
                {
                    "name": fact.name[:100],
                    "value": clean(fact.value, VALUE).text if isinstance(fact.value, str) else fact.value,
                    "unit": fact.unit[:20],
                    "source": fact.source,
                }
                for fact in self.facts[:MAX_FACTS]
                if fact.value is not None
            ],
            "title": clean(self.title, TITLE).text,
            "category": clean(self.category, TITLE).text,
            "designer": clean(self.designer, TITLE).text,
            "language": self.language,
            "text": clean(self.text, WORDS).text,
        }
