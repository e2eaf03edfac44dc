"""The same tree again: what Seatkeeper promises, and what proves it."""
