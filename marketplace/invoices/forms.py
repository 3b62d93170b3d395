"""Input of the invoice pages and calls."""

from pydantic import Field

from marketplace.web.forms import Body, Form


class DetailsForm(Form):
    """How the organization stands on its invoices."""

    legal_name: str = Field(min_length=1, max_length=200)
    tax_id: str = Field(default="", max_length=40)
    address: str = Field(default="", max_length=600)


class DetailsIn(Body):
    """The same over the API; an empty `tax_id` means not registered, an empty `address` the one of the sign-up."""

    legal_name: str = Field(min_length=1, max_length=200)
    tax_id: str = Field(default="", max_length=40)
    address: str = Field(default="", max_length=600)
