"""What is done with contracts, an act a module, and the rules for it."""
