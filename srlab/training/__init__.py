"""Training: losses, the loop, and the table of every run that was ever shipped."""
