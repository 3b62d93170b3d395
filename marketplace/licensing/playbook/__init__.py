"""What an organization negotiates by: its term sheets, its own past deals, its approval limits."""
