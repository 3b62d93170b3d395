"""Payout rails: how a payee's money leaves us, by the payment service (`stripe`) or by bank file (`bank`)."""
