"""srlab: what super-resolution networks know.

Look inside any super-resolution (SR) network: where it looks (`lam`), which filters undo what
(`faig`), what its features tell apart (`features`, `embed`, `separability`). `__init__.pyi` lists
the names and where each is defined; they are loaded when they are first used.
"""

import lazy_loader

__version__ = "0.1.0"
__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
