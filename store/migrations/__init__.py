"""How a database that an older version made becomes one of this version, step by step."""
