"""Real processes on PostgreSQL, Redis and the simulators: one story a test."""
