"""Public judge benchmarks, one a file: `evenhand.data.bench` says what each of them gives."""
