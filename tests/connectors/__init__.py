"""Connectors: one contract for every kind, and each vendor's documented payloads."""
