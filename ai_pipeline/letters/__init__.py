"""Mails that people send: what they wrote, without what they quoted. Read only in the child."""
