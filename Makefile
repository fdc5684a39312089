# Needs Python 3.11 or later, make and a package index. Everything is installed in .venv.
.PHONY: help install run test coverage test-lowest test-newest check golden dist clean

INSTALLED := .venv/installed
PORT ?= 8080

help:
	@echo "make run      serve the shipped fixtures at http://127.0.0.1:$(PORT)"
	@echo "make test     check, then all tests"
	@echo "make coverage check, then all tests with branch coverage, which takes longer"
	@echo "make test-lowest   the tests with the lowest versions of the dependencies"
	@echo "make test-newest   the tests with the newest versions of the dependencies"
	@echo "make check    formatting, lint, types, import contracts"
	@echo "make golden   write the golden replies again"
	@echo "make dist     build the wheel and the source archive"
	@echo "make clean    remove .venv and all build results"

install: $(INSTALLED)

$(INSTALLED): pyproject.toml constraints.txt scripts/install scripts/find-python
	sh scripts/install

run: $(INSTALLED)
	@.venv/bin/vehicle-ocr-mock serve --hints --port $(PORT)

check: $(INSTALLED)
	sh scripts/check

test: check
	sh scripts/test

coverage: check
	sh scripts/test --cov --cov-report=term

test-lowest:
	sh scripts/test-lowest

test-newest:
	sh scripts/test-newest

golden: $(INSTALLED)
	.venv/bin/pytest tests/golden --write-golden -q

dist: $(INSTALLED)
	.venv/bin/python -m hatchling build --directory dist

clean:
	rm -rf .venv .venv-lowest .venv-newest .venv-python dist build .coverage .coverage.* .mypy_cache .ruff_cache .pytest_cache .import_linter_cache
