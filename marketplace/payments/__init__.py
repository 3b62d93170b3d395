"""Money: checkouts, the ledger, transfers to payees, payouts. Stripe is mirrored into the ledger, never the reverse."""
