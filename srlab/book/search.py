"""What the search finds: prose, visible code and results, not what a page folds away."""

from typing import Any

from docutils import nodes
from myst_nb.sphinx_ import HideCodeCellNode, depart_HideCellInput, visit_HideCellInput
from sphinx.transforms.post_transforms import SphinxPostTransform


class Folded(HideCodeCellNode, nodes.comment):
    """A folded cell. It is shown as before; Sphinx's index of words passes comments over."""


class LeaveOutFolded(SphinxPostTransform):
    """Keep the words of folded cells out of the index."""

    default_priority = 200  # right after MyST-NB has folded them
    formats = ("html",)

    def run(self, **_: Any) -> None:
        """Each folded cell of the page as a `Folded` one."""
        for cell in list(self.document.findall(nodes.container)):
            for place, child in enumerate(cell.children):
                if isinstance(child, HideCodeCellNode):
                    cell[place] = Folded("", "", *child.children, **child.attributes)


FOLDED_HTML = (visit_HideCellInput, depart_HideCellInput)
