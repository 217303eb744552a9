.PHONY: check test bench

check:
	ruff format --check .
	ruff check .
	mypy
	python bench/sizes.py

test:
	pytest

bench:
	python bench/engine.py
