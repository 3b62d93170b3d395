"""Invoices and credit notes of what was paid: gapless numbers, tax fields, documents."""
