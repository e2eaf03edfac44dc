"""Years of a provider and its customers, played by Hypothesis against the real store, and what must hold all along."""
