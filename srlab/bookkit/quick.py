"""The notebooks' quick parameters: each runs in ten seconds, for the tests. One table for all."""

from typing import Any

QUICK: dict[str, dict[str, Any]] = {}
