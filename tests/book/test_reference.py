from srlab.book.cache import face
from srlab.book.reference import PAGE, reference


def test_the_page_is_in_step_with_the_docstrings(repository):
    """`python -m srlab.book.reference` writes it."""
    assert (repository / PAGE).read_text("utf-8") == reference()


def test_every_name_has_a_section():
    page = reference()
    for name in face():
        assert f"\n## {name.removeprefix('srlab.')}\n" in page
    assert "lam(\n    network: Network,\n    lr: Tensor,\n    target: Target,\n    *," in page
    assert "    path: ImagePath | None=None,\n" in page
