"""What auditors ask of the log."""
