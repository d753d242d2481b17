# Two commands: `make book` and `make test`. Each makes .venv first where it is missing.
PYTHON ?= python3
BIN := .venv/bin
READY := .venv/srlab-ready

.PHONY: help book test lint lab bench clean
help:
	@echo "make book   run the notebooks and compile the book"
	@echo "make test   the whole suite, the book and its pages in a browser included"
	@echo "make lint   ruff and mypy"
	@echo "make lab    JupyterLab with the notebooks"
	@echo "make bench  speed and exactness against the published rules"
	@echo "make clean  remove what was built; .venv stays"

book: $(READY)
	@$(BIN)/srlab book

test: $(READY)
	@$(BIN)/python -m pytest

lint: $(READY)
	@$(BIN)/ruff check
	@$(BIN)/ruff format --check
	@$(BIN)/mypy

lab: $(READY)
	@$(BIN)/jupyter lab notebooks

bench: $(READY)
	@$(BIN)/python -m bench

clean:
	rm -rf _build book/findings .pytest_cache .ruff_cache .mypy_cache
	find srlab tests notebooks -name __pycache__ -prune -exec rm -rf {} +

# Made once, and again when the packages change. The .py notebooks open as notebooks: a setting of
# this environment, nobody's home is touched.
$(READY): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "srlab needs Python 3.11 or newer; name one: make PYTHON=python3.12"; exit 1; }
	@echo "Making .venv (some minutes, once)"
	@[ -x $(BIN)/python ] || $(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --disable-pip-version-check -c constraints.txt -e '.[book,scale,test]'
	@JUPYTER_CONFIG_DIR=.venv/etc/jupyter $(BIN)/jupytext-config set-default-viewer python
	@touch $@
