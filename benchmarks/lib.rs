//! Benchmarks only: `make bench` runs them against real servers and prints tables for `docs/benchmarks.md`.
