"""The write side: takes commands, decides, appends."""
