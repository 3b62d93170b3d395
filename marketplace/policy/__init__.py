"""Who may do what: permissions, roles as data, and one function that decides."""
