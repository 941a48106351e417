"""Do the benchmarks measure what they say? Small sizes, no clock: only the shape of rows and that wrong answers stop them."""
