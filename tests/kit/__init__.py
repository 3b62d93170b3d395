"""What tests are built with: the instance, people, clients, jobs. Real services only."""
