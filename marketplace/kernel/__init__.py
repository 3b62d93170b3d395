"""Pure vocabulary of the product: money, time, ids, states, errors, actor. Standard library only."""
