"""Asking the holder of a first refusal, who answers by taking the rights up or by letting go of them."""
