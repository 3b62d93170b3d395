"""People, organizations, memberships, sessions, tokens; sign-up to approval."""
