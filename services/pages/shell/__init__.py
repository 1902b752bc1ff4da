"""What stands around every page: the frame, the door, and pages that say what went wrong."""
