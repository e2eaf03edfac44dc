"""Worlds to decide about: made by hand for examples, made up by Hypothesis for properties, and what becomes of them."""
