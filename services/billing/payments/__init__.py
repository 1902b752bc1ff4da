"""Payments in: a bank's statement is read, each payment once, and matched with what it may be for."""
