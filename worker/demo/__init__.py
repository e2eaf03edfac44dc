"""`seatkeeper demo`: a working day at a provider with two customers, played on simulated directories."""
