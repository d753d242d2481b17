"""What the explorers share: one ES module each, and a front-end that asks for Python's presence."""

import sys
from collections.abc import Callable
from importlib.resources import files
from typing import Any

import anywidget
import traitlets as T


def sources(*names: str, kind: str) -> str:
    """The shared part and `names`, as the one file that a saved page can run without imports."""
    folder = files("srlab.explorers")
    return "\n".join((folder / f"{part}.{kind}").read_text("utf-8") for part in ("common", *names))


class Explorer(anywidget.AnyWidget):
    """A widget that shows precomputed states and, where Python answers, computes new ones.

    No trait could say truthfully whether a kernel is there: traits are saved with the page. So the
    front-end asks by message and stays in its static form until it is answered:

    - ``{"kind": "ping"}`` → ``{"kind": "pong", "computes": bool}``
    - ``{"kind": "compute", "id": …, "request": {…}}`` → ``{"kind": "result", "id": …, **values}``
      with binary buffers, or ``{"kind": "error", "id": …, "message": …}``.

    A page without a kernel has nobody to answer; it drops the messages and nothing else changes.
    """

    meta = T.Dict().tag(sync=True)  # all that is told once

    def __init__(self, *, compute: Callable[..., Any] | None = None, **traits: Any) -> None:
        super().__init__(**traits)
        self._compute = compute
        if "google.colab" in sys.modules:  # where widgets of third parties are off by default
            from google.colab import output

            output.enable_custom_widget_manager()
        self.on_msg(Explorer._answer)

    def _answer(self, content: dict[str, Any], _buffers: list[bytes]) -> None:
        if content.get("kind") == "ping":
            self.send({"kind": "pong", "computes": self._compute is not None})
        elif content.get("kind") == "compute":
            identity = {"id": content.get("id")}
            try:
                values, buffers = self.respond(content.get("request", {}))
            except Exception as error:  # the reader sees it in the widget, whatever it was
                message = f"{type(error).__name__}: {error}"
                self.send({"kind": "error", **identity, "message": message})
            else:
                self.send({"kind": "result", **identity, **values}, buffers)

    def compute(self, *asked: Any, **options: Any) -> Any:
        """What the function that the explorer was made with answers."""
        if self._compute is None:
            raise ValueError("this explorer was made without compute=, it only shows what it holds")
        return self._compute(*asked, **options)

    def respond(self, request: dict[str, Any]) -> tuple[dict[str, Any], list[bytes]]:
        """Compute what the front-end asks for: JSON values and binary buffers."""
        raise NotImplementedError
