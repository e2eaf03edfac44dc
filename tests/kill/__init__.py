"""The real daemon, killed wherever it is and started again: it ends as if nothing had happened (Z6)."""
