"""Orders under an active license: placed, quoted by vetted workshops, awarded, paid."""
