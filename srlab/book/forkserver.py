"""Imported first by the process that forks kernels, which then ends with the one that started it.

By itself it would wait for its kernels, which wait for it.
"""

from srlab.lifetime import be_killed_with_parent

be_killed_with_parent()
