"""The studio: words drafted with AI from measured facts, edited and approved by people, with every call on record."""
