"""A local stand-in for a mail server: real SMTP in, a web inbox out. No mail ever leaves the computer."""
