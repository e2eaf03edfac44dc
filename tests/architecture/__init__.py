"""Tests of the house itself: layers, purity, and every rule proven."""
