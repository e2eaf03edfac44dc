"""Rules, plans and policy files: examples by hand, worlds by Hypothesis."""
