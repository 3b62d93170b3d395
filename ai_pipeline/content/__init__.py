"""Words about a piece: drafts that a person edits and approves, each checked against the facts it may use."""
