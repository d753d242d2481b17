"""Compiling: warnings are errors; an unchanged book is left alone, a broken one replaces none."""

import subprocess

import pytest

from srlab.book import build
from srlab.book.build import BuildError, build_book, compile_book
from srlab.book.figures import figure_html, named_figure
from srlab.book.footer import footer_html
from srlab.book.project import Notebook
from srlab.book.runner import run_notebooks

PLOT = """
import plotly.graph_objects as go
go.Figure(go.Scatter(y=[1, 2]), layout={"title": "</script>"})
"""
RECORD = """
from srlab.studies.study import Study
study = Study("one", claim="It holds", source="Here", claims={"more": "more than 2"})
study.measure("amount", amount)
study.verdict(more=amount > 2)
"""


@pytest.fixture(autouse=True)
def _settled(monkeypatch):
    monkeypatch.setattr("srlab.book.cache.library_key", lambda: "library")


@pytest.mark.usefixtures("here")
def test_a_book_is_built_kept_and_protected(checkout, write_notebook):
    write_notebook("one", f'# %% name="hero"\n{PLOT}')
    intro = checkout / "book" / "intro.md"
    good = f"{intro.read_text()}\n```{{finding-figure}} one hero\nA *fine* caption.\n```\n"
    intro.write_text(good)
    lines: list[str] = []
    page = build_book(root=checkout, report=lines.append)
    assert page.is_file()
    assert str(page) in lines[-1]
    html = (page.parent / "book" / "findings" / "one.html").read_text()
    assert "srlab-figure" in html
    assert "How this page was made" in html
    assert "colab" not in html  # no repository, no buttons
    assert "Install srlab" not in html
    assert "<title>Title of one" in html
    opener = (page.parent / "book" / "intro.html").read_text()
    assert "No finding has been run" in opener
    assert "srlab-figure" in opener
    assert "A <em>fine</em> caption." in opener
    assert (page.parent / "_static" / "plotly.min.js").is_file()

    lines.clear()
    build_book(root=checkout, report=lines.append)
    assert "pages: nothing changed" in lines

    intro.write_text(f"{good}\n{{doc}}`/nowhere`\n")
    with pytest.raises(BuildError, match="WARNING: unknown document: '/nowhere'"):
        build_book(root=checkout, report=lines.append)
    assert html == (page.parent / "book" / "findings" / "one.html").read_text()
    with pytest.raises(BuildError):  # and again: the warning is not forgotten
        compile_book(checkout, report=lines.append)

    intro.write_text(good)
    address = "https://name:secret@github.com/someone/somewhere.git"
    for command in (["init", "-q"], ["remote", "add", "origin", address]):
        subprocess.run(["git", "-C", str(checkout), *command], check=True)
    compile_book(checkout, report=lines.append)
    html = (page.parent / "book" / "findings" / "one.html").read_text()
    assert "github/someone/somewhere/blob/main/notebooks/one.ipynb" in html
    assert "gh/someone/somewhere/main?urlpath=lab/tree/notebooks/one.ipynb" in html
    assert "secret" not in html


@pytest.mark.usefixtures("here")
def test_a_page_tells_the_verdict_of_another(checkout, write_notebook):
    write_notebook("one", RECORD)
    intro = checkout / "book" / "intro.md"
    intro.write_text(f"{intro.read_text()}\nIt was {{verdict}}`one`.\n")
    page = build_book(root=checkout, report=[].append)
    html = (page.parent / "book" / "intro.html").read_text()
    told = html[html.index("It was ") :][:300]
    assert 'href="findings/one.html"' in told
    assert "✔\u00a0reproduced" in told


@pytest.mark.usefixtures("here")
def test_the_search_knows_what_a_page_shows_not_what_it_folds_away(checkout, write_notebook):
    cells = ("walrus = 1", '# %% tags=["hide-cell"]\nzebra = 2', "# %% [markdown]\n# Some ostrich.")
    write_notebook("one", *cells, '# %% tags=["hide-input"]\nprint("lin" + "net", len("okapi"))')
    page = build_book(root=checkout, report=[].append)
    html = (page.parent / "book" / "findings" / "one.html").read_text()
    index = (page.parent / "searchindex.js").read_text()
    for word, found in {"walru": 1, "ostrich": 1, "linnet": 1, "zebra": 0, "okapi": 0}.items():
        assert word in html
        assert (f'"{word}"' in index) == found, word


def test_a_page_without_its_notebook_is_refused(checkout, write_notebook):
    write_notebook("one", PLOT)
    with pytest.raises(BuildError, match="not run yet: one"):
        compile_book(checkout)


@pytest.mark.parametrize("line", ["a.md:3: WARNING: lost", "Execution Failed: x", "y: ERROR: z"])
def test_the_log_is_read_although_the_exit_code_is_zero(checkout, monkeypatch, line):
    script = f"""
from pathlib import Path
import sys
page = Path(sys.argv[-1]) / "_build" / "html" / "index.html"
page.parent.mkdir(parents=True)
page.write_text("")
print({line!r})
"""
    monkeypatch.setattr(build, "JUPYTER_BOOK", script)
    with pytest.raises(BuildError, match=line):
        compile_book(checkout)
    assert not (checkout / "_build" / "html").exists()


@pytest.mark.usefixtures("here")
def test_a_figure_that_is_not_there_is_missed_by_name(checkout, write_notebook):
    write_notebook("one", "print(amount)")
    run_notebooks(root=checkout, report=[].append)
    page = Notebook(checkout, "one").page
    with pytest.raises(ValueError, match=r'one\.ipynb shows no figure in a cell with name="hero"'):
        named_figure(page, "hero")


def test_figures_cannot_end_their_script():
    html = figure_html({"data": [], "layout": {"title": "</script><b>", "height": 200}})
    assert html.count("</script>") == 1
    assert "min-height:200px" in html


def test_footer_tells_how_a_page_was_made_and_escapes_it():
    html = footer_html(
        {
            "seconds": 4.2,
            "hardware": "<CPU>",
            "versions": {"torch": "2.13.0"},
            "parameters": {"amount": 7},
            "checkpoints": [{"name": "net", "recipe": {"steps": 6000}, "history": [1], "date": ""}],
        }
    )
    for text in ("4.2 s", "&lt;CPU&gt;", "torch 2.13.0", "&#34;amount&#34;: 7", "steps 6000"):
        assert text in html
    assert "history" not in html
