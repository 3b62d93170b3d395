"""Flask plumbing without business words: routes that declare their permission, sessions, forms, errors, paging."""
