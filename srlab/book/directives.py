"""What the book's directives have in common: each fills in a template."""

from pathlib import Path
from typing import Any, ClassVar

from docutils import nodes
from sphinx.util.docutils import SphinxDirective

from srlab.pages.templates import page


class TemplateDirective(SphinxDirective):
    """A directive that shows `template` with `values()`; read anew in each build."""

    template: ClassVar[str]

    @property
    def root(self) -> Path:
        """The checkout."""
        return Path(self.env.srcdir)

    def values(self) -> dict[str, Any]:
        """What the template is filled in with."""
        raise NotImplementedError

    def run(self) -> list[nodes.Node]:
        """The HTML as one node."""
        self.env.note_reread()
        return [nodes.raw(text=page(self.template, **self.values()), format="html")]
