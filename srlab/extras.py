"""What srlab can do without: a package of an extra, or one line that says how to get it."""

from importlib import import_module
from typing import Any


def require(package: str, extra: str) -> Any:
    """The package, imported; where it is missing, the extra of srlab that brings it is named.

    >>> pooch = require("pooch", "data")
    """
    try:
        return import_module(package)
    except ModuleNotFoundError as error:
        if error.name != package.split(".")[0]:
            raise  # it is there and lacks something itself
        raise ModuleNotFoundError(
            f"this needs {package}: pip install 'srlab[{extra}]'", name=error.name
        ) from error
