"""The seller that is asked over HTTP."""
