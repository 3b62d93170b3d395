"""The commands of `./dev`: one local instance started, tested, looked into and thrown away."""
