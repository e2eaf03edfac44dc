"""What is so, and what was decided: all the SQL."""
