"""Invoices: issued under numbers without gaps, kept as they were issued, and paid, overdue or withdrawn."""
