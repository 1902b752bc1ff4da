"""A seller's history: a workbook of customers, packages, tasks and recipients, judged row by row and recorded."""
