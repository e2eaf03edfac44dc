"""What Seatkeeper does, one use case a file; each opens its own transactions and never while a request is under way."""
