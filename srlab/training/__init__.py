"""Training: losses, the loop, and the table of every run that was ever shipped."""

from srlab.extras import require

require("lightning_fabric", "train")
