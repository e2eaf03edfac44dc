"""The real servers that tests run against, out of the test dependencies."""
