"""The declarative base, column types and mixins that every table shares."""

from datetime import datetime
from typing import Annotated, Any

from sqlalchemy import BigInteger, DateTime, MetaData, String, Text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from marketplace.kernel import clock

#: Text primary key made by `kernel.ids.new_id`.
Key = Annotated[str, mapped_column(String(40))]
#: A point in time, UTC.
Moment = Annotated[datetime, mapped_column(DateTime(timezone=True))]
#: Minor units of a currency that stands in a column beside it.
Amount = Annotated[int, mapped_column(BigInteger)]
#: Text of any length; forms bound it.
LongText = Annotated[str, mapped_column(Text)]


class Base(DeclarativeBase):
    """Base of all tables; constraint names follow one convention so that migrations can name them."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(column_0_N_label)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
    type_annotation_map = {dict[str, Any]: JSONB, list[Any]: JSONB, list[str]: JSONB}


class Created:
    """Adds `created_at`, set from the injected clock when the object is made."""

    created_at: Mapped[Moment] = mapped_column(default=clock.now)
