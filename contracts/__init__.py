"""The published language: what services say to each other, and nothing of how they work."""
