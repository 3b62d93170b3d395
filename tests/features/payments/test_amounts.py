"""PAY-25: what is no amount is refused at every way in: every body of the API that takes one, every refund form."""

from collections.abc import Iterator
from typing import Any

import pytest
from flask import Flask
from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo

from marketplace.payments.claims import Refund
from tests.features.payments.scene import Scene

#: None of these is a number of minor units; what a person types has its own parser (test_rounding.py).
ODD: tuple[Any, ...] = (-1, 10**12, 2**63, 1.5, 12.0, float("nan"), float("inf"), True, "1e3", "12", "١٢", "1,00", None)
_NONE = FieldInfo(annotation=None)
TYPED = ("-1", "0", "1e3", "١٢", "1,00", "NaN", "1000000000001", "１２", "1_0", "9" * 29)


def _bodies(kind: type[BaseModel] = BaseModel) -> Iterator[type[BaseModel]]:
    for found in kind.__subclasses__():
        yield found
        yield from _bodies(found)


def _takes_an_amount(body: type[BaseModel]) -> bool:
    ours = body.__module__.startswith("marketplace.") and not body.__name__.endswith("Out")
    return ours and body.model_fields.get("amount", _NONE).annotation is int


def test_every_body_that_takes_an_amount_refuses_what_is_none(app: Flask) -> None:
    assert app.blueprints  # with the application every API is there
    found = {body for body in _bodies() if _takes_an_amount(body)}
    assert len(found) >= 5
    for body in found:
        for amount in ODD:
            with pytest.raises(ValidationError) as refused:
                body.model_validate({"amount": amount, "currency": "USD", "reason": "quality"})
            assert ("amount",) in {error["loc"] for error in refused.value.errors()}, (body, amount)


def test_a_refund_of_no_amount_is_refused_on_the_page_on_the_desk_and_over_the_api(scene: Scene) -> None:
    operator = scene.make.person("operator")
    checkout = scene.paid()
    for typed in TYPED:
        form = {"amount": typed, "reason": "quality"}
        for browser, path in ((scene.buyer.browser, "/payments"), (operator.browser, "/desk/money/payments")):
            answer = browser.post(f"{path}/{checkout}/refund", form)
            assert (answer.status_code, 'id="f-amount-error"' in answer.text) == (422, True), (path, typed)
    for amount in (-1, 0, 100_002, 10**12, "1e3", "١٢", 1.5, True, None):
        body = {"amount": amount, "currency": "USD", "reason": "quality"}
        answer = scene.buyer.api.post(f"/payments/{checkout}/refunds", body)
        assert answer.status_code == 422, amount
    with scene.services.engine.connect() as connection:
        assert connection.exec_driver_sql(f"select count(*) from {Refund.__tablename__}").scalar() == 0
