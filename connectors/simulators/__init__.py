"""The vendors' documented HTTP on loopback, with state and with faults on order: for the demo, and for every test."""
