"""What can be done with purchases: one module per act, and the rules and reads that they share."""
