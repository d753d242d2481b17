# Two commands: `make book` and `make test`. Each makes .venv first where it is missing.
PYTHON ?= python3
BIN := .venv/bin
READY := .venv/srlab-ready

# Which build of torch: one that its own index has (cpu, cu126, …), or "pip" for the one that pip
# finds, on Linux gigabytes of CUDA. By itself the CPU's where Linux has no GPU, else pip's.
TORCH ?= auto
TORCH_INDEX := https://download.pytorch.org/whl
BUILD = case '$(TORCH)'-$$(uname) in \
	(auto-Linux) nvidia-smi -L >/dev/null 2>&1 && echo pip || echo cpu;; \
	(auto-*) echo pip;; \
	(*) echo '$(TORCH)';; esac

# pip says hundreds of lines; a terminal sees one that counts, and the log keeps them all.
SHELL := bash
LOG := .venv/install.log
PIP := $(BIN)/python -m pip install --disable-pip-version-check --no-compile
COUNT = while read -r line; do case "$$line" in \
	Collecting*) n=$$((n + 1)); if [ -t 1 ]; then printf '\r%s packages found' $$n; fi;; \
	Installing\ collected*) if [ -t 1 ]; then printf ', installing them\n'; fi;; esac; done

.PHONY: help book test lint lab bench clean
help:
	@echo "make book   run the notebooks and compile the book"
	@echo "make test   the whole suite, the book and its pages in a browser included"
	@echo "make lint   ruff and mypy"
	@echo "make lab    JupyterLab with the notebooks"
	@echo "make bench  speed and exactness against the published rules"
	@echo "make clean  remove what was built; .venv stays"
	@echo "TORCH=cpu, TORCH=cu126 or TORCH=pip with the first of them chooses torch's build"

book: $(READY)
	@$(BIN)/srlab book

# Files in the order of tests/conftest.py, not by the number of their tests.
test: $(READY)
	@$(BIN)/python -m pytest --numprocesses auto --dist loadfile --no-loadscope-reorder

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
	@: >$(LOG); build=$$($(BUILD)); \
	[ "$$build" = pip ] || $(PIP) --no-deps --timeout 10 --retries 1 -c constraints.txt \
		--index-url $(TORCH_INDEX)/$$build torch >>$(LOG) 2>&1 || \
		echo "No $$build build to be had from $(TORCH_INDEX): pip looks for torch itself"
	@set -o pipefail; $(PIP) -c constraints.txt -e '.[book,scale,test]' 2>&1 | tee -a $(LOG) | { $(COUNT); } || \
		{ tail -n 20 $(LOG); echo "pip failed; all it said is in $(LOG)"; exit 1; }
	@$(BIN)/python -W ignore -m compileall -qqj 0 .venv/lib || true # with all cores; pip takes one
	@JUPYTER_CONFIG_DIR=.venv/etc/jupyter $(BIN)/jupytext-config set-default-viewer python
	@touch $@
