"""What belongs to no log: offers to customers, what is sent to them, and what comes in from the bank."""
