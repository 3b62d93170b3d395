"""What stands in for the outside world on one machine: real services from wheels, and vendors' stand-ins."""
