"""What the simulated vendors answer, held against the vendors' documentation."""
