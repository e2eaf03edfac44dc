"""Measurements: ratios, which never fail on a busy machine."""
