"""Side-by-side measurements: each speed beside what it is compared with, in alternating rounds, as a ratio."""
