"""Where people find their conversations: the list of threads, mails about them, and answers by mail."""
