"""Royalties: what the buyer sold, what the designer earned of it, and the statement that makes both meet."""
