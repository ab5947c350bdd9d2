"""Measures a server of this machine: `tokenim bench`, and what other benchmarks share."""
