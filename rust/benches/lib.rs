//! Benchmarks of the core by criterion, for whoever works on it: `make bench-watch`. What is published is measured by `benches/` at the root.
