"""The payment service's codes in words that a payee or a buyer understands.

Codes are the vendor's: reasons and errors of Accounts v2 (stripe 16.1, `V2.Core.Account`), payout failures, dispute
reasons and refund failures of its API reference. A code that is not here is said to be unknown and shown as it is.
"""

from collections.abc import Mapping
from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

_UNSUPPORTED = _l("The payment service does not take businesses like yours. We will find another way with you.")
_REJECTED = _l("The payment service has closed its doors to this account. Write to us.")

_LOST = _l("The payment service has taken the account out of our reach. Set up another one.")

#: Why money cannot be sent to an account; the first four are ours, see gateways.payments.errors.
DISABLED: Mapping[str, Any] = {
    "account_closed": _l("The account at the payment service is closed. Set up another one."),
    "account_lost": _LOST,
    "payment_not_found": _LOST,
    "insufficient_capabilities_for_transfer": _l("The account can take no payments. Set up another one."),
    "determining_status": _l("The payment service is still looking at your account."),
    "requirements_pending_verification": _l("The payment service is checking what you gave. Nothing is asked of you."),
    "requirements_past_due": _l("Something it asked for is missing."),
    "restricted_other": _l("The payment service has paused the account. Open its page to see what it wants."),
    "rejected_fraud": _REJECTED,
    "rejected_incomplete_verification": _l("Your identity could not be confirmed in time. Write to us."),
    "rejected_listed": _REJECTED,
    "rejected_other": _REJECTED,
    "rejected_platform_fraud": _l("We have closed this account. Write to us."),
    "rejected_platform_other": _l("We have closed this account. Write to us."),
    "rejected_platform_terms_of_service": _l("We have closed this account. Write to us."),
    "rejected_terms_of_service": _REJECTED,
    "unsupported_business": _UNSUPPORTED,
    "unsupported_country": _l("The payment service cannot pay to your country. We can pay you by bank transfer."),
    "unsupported_entity_type": _UNSUPPORTED,
}

#: What the payment service asks of a payee: the end of its dotted name, the longest that fits.
REQUIREMENTS: Mapping[str, Any] = {
    "address": _l("Address"),
    "annual_revenue": _l("Yearly revenue"),
    "attestations": _l("Confirmation that what you gave is right"),
    "bank_account": _l("Bank account"),
    "bank_account_ownership_verification": _l("Proof that the bank account is yours"),
    "business_details": _l("Details of the business"),
    "business_profile": _l("Details of the business"),
    "business_type": _l("Kind of business"),
    "company_authorization": _l("Letter that lets the representative act for the company"),
    "company_license": _l("Trade license"),
    "company_memorandum_of_association": _l("Articles of the company"),
    "company_registration_verification": _l("Extract from the company register"),
    "company_tax_id_verification": _l("Proof of the tax number"),
    "contact_email": _l("E-mail address"),
    "date_of_birth": _l("Date of birth"),
    "default_outbound_destination": _l("Bank account that your money goes to"),
    "directors": _l("Directors of the company"),
    "documents": _l("Identity document"),
    "dob": _l("Date of birth"),
    "email": _l("E-mail address"),
    "entity_type": _l("Kind of business"),
    "estimated_worker_count": _l("Number of people who work there"),
    "executives": _l("Managers of the company"),
    "external_account": _l("Bank account that your money goes to"),
    "first_name": _l("First name"),
    "given_name": _l("First name"),
    "id_number": _l("Identity or tax number"),
    "id_numbers": _l("Identity or tax number"),
    "identity": _l("Details of the business and its representative"),
    "individual": _l("Details of the representative"),
    "industry": _l("Line of business"),
    "last_name": _l("Family name"),
    "mcc": _l("Line of business"),
    "monthly_estimated_revenue": _l("Monthly revenue"),
    "name": _l("Legal name of the business"),
    "nationalities": _l("Nationality"),
    "owners": _l("Owners of the company"),
    "ownership_declaration": _l("Declaration of who owns the company"),
    "persons": _l("People behind the business"),
    "phone": _l("Telephone number"),
    "primary_verification": _l("Identity document"),
    "product_description": _l("What the business sells"),
    "proof_of_address": _l("Proof of address"),
    "proof_of_registration": _l("Extract from the company register"),
    "proof_of_ultimate_beneficial_ownership": _l("Proof of who owns the company"),
    "registered_name": _l("Legal name of the business"),
    "relationship": _l("What the representative does in the business"),
    "representative": _l("Person who represents the business"),
    "script_names": _l("Name in its own script"),
    "secondary_verification": _l("Second identity document"),
    "ssn_last_4": _l("Last digits of the social security number"),
    "structure": _l("Legal form of the business"),
    "surname": _l("Family name"),
    "tax_id": _l("Tax number"),
    "terms_of_service": _l("Agreement to the terms of the payment service"),
    "tos_acceptance": _l("Agreement to the terms of the payment service"),
    "url": _l("Website of the business"),
    "vat_id": _l("VAT number"),
    "verification": _l("Identity document"),
    "visa": _l("Visa or permit"),
}

#: What was wrong with the last answer: the beginning of the code, the longest that fits.
ERRORS: Mapping[str, Any] = {
    "invalid_address": _l("The address cannot be used."),
    "invalid_business_profile_name": _l("The name of the business cannot be used."),
    "invalid_company_name": _l("The name of the company cannot be used."),
    "invalid_dob": _l("The date of birth cannot be right for this account."),
    "invalid_product_description": _l("Describe what the business sells in other words."),
    "invalid_representative_country": _l("The representative must live in another country for this account."),
    "invalid_statement_descriptor": _l("The text for bank statements cannot be used."),
    "invalid_street_address": _l("The street was not found."),
    "invalid_tax_id": _l("The tax number does not have the right form."),
    "invalid_tos_acceptance": _l("Agree to the terms again."),
    "invalid_url": _l("The website cannot be opened or does not show enough about the business."),
    "invalid_value": _l("One answer cannot be used."),
    "unresolvable": _l("The place was not found."),
    "verification_directors": _l("The directors do not match the register."),
    "verification_document": _l("The document could not be accepted. Upload a clear, complete and valid one."),
    "verification_document_address": _l("The address on the document is missing or another one."),
    "verification_document_dob_mismatch": _l("The date of birth on the document is another one."),
    "verification_document_expired": _l("The document has expired."),
    "verification_document_id_number": _l("The number on the document is missing or another one."),
    "verification_document_missing": _l("One side of the document is missing."),
    "verification_document_name": _l("The name on the document is missing or another one."),
    "verification_document_not_readable": _l("The document cannot be read."),
    "verification_document_too_large": _l("The file of the document is too large."),
    "verification_extraneous_directors": _l("The register does not name all of these directors."),
    "verification_failed": _l("What you gave does not match the records."),
    "verification_missing": _l("Name the missing people: directors, managers or owners."),
    "verification_requires": _l("One more document about the company is needed."),
    "verification_selfie": _l("The picture of the face could not be matched."),
    "verification_supportability": _l("The payment service does not take this line of business."),
    "verification_token": _l("The check took too long. Start it again."),
}

#: Why a bank sent money back.
PAYOUT_FAILURES: Mapping[str, Any] = {
    "account_closed": _l("The bank account is closed."),
    "account_frozen": _l("The bank account is frozen."),
    "bank_account_restricted": _l("The bank account cannot take payments of this kind."),
    "bank_ownership_changed": _l("The bank has changed hands. Enter the bank account again."),
    "could_not_process": _l("The bank could not process the payment."),
    "debit_not_authorized": _l("The bank account does not allow this payment."),
    "declined": _l("The bank refused the payment."),
    "incorrect_account_holder_address": _l("The bank knows the holder at another address."),
    "incorrect_account_holder_name": _l("The bank knows the holder under another name."),
    "incorrect_account_holder_tax_id": _l("The bank knows the holder under another tax number."),
    "insufficient_funds": _l("There was not enough money for this payment."),
    "invalid_account_number": _l("The account number does not exist."),
    "invalid_account_number_length": _l("The account number has the wrong length."),
    "invalid_currency": _l("The bank account does not take this currency."),
    "no_account": _l("The bank does not know this account."),
    "unsupported_card": _l("The card cannot take payments."),
}

#: Why a buyer's bank asks for the money back.
DISPUTE_REASONS: Mapping[str, Any] = {
    "bank_cannot_process": _l("The buyer's bank could not process the payment"),
    "check_returned": _l("The check was returned"),
    "credit_not_processed": _l("The buyer says a promised refund did not come"),
    "customer_initiated": _l("The buyer asked the bank for the money back"),
    "debit_not_authorized": _l("The buyer says the debit was not allowed"),
    "duplicate": _l("The buyer says the payment was taken twice"),
    "fraudulent": _l("The cardholder says it was not them who paid"),
    "general": _l("The bank gave no particular reason"),
    "incorrect_account_details": _l("The account details were wrong"),
    "insufficient_funds": _l("The buyer's account had not enough money"),
    "noncompliant": _l("The bank says a rule of the card network was broken"),
    "product_not_received": _l("The buyer says nothing arrived"),
    "product_unacceptable": _l("The buyer says the pieces are not as agreed"),
    "subscription_canceled": _l("The buyer says the agreement had ended"),
    "unrecognized": _l("The cardholder does not recognize the payment"),
}

#: What a buyer paid with.
METHODS: Mapping[str, Any] = {
    "card": _l("Card"),
    "us_bank_account": _l("Bank account (US)"),
    "sepa_debit": _l("Bank account (SEPA)"),
    "bacs_debit": _l("Bank account (UK)"),
    "acss_debit": _l("Bank account (Canada)"),
    "au_becs_debit": _l("Bank account (Australia)"),
    "customer_balance": _l("Bank transfer"),
}


def disabled_reason(code: str | None) -> str:
    """Why an account gets no money; empty without a code."""
    return _known(DISABLED, code)


def payout_failure(code: str | None) -> str:
    """Why a bank sent money back; empty without a code."""
    return _known(PAYOUT_FAILURES, code)


def dispute_reason(code: str | None) -> str:
    """Why a buyer's bank asks for the money back; empty without a code."""
    return _known(DISPUTE_REASONS, code)


def payment_method(kind: str | None) -> str:
    """What a buyer paid with; empty without a kind."""
    word = METHODS.get(kind or "")
    return str(word) if word is not None else (kind or "").replace("_", " ")


def requirement(code: str) -> str:
    """What is asked, by the last part of the dotted name that we have words for."""
    for part in reversed(code.replace("[", ".").replace("]", "").split(".")):
        if part in REQUIREMENTS:
            return str(REQUIREMENTS[part])
    return _said_as_it_is(code)


def requirement_error(code: str | None) -> str:
    """What was wrong with the last answer; empty without a code."""
    parts = (code or "").split("_")
    for length in range(len(parts), 0, -1):
        known = ERRORS.get("_".join(parts[:length]))
        if known is not None:
            return str(known)
    return _said_as_it_is(code) if code else ""


def _known(words: Mapping[str, Any], code: str | None) -> str:
    if not code:
        return ""
    return str(words[code]) if code in words else _said_as_it_is(code)


def _said_as_it_is(code: str) -> str:
    return _("The payment service calls it “%(code)s”.", code=code)
