"""The trade catalog: what vetted members can find, filter, save and open."""
