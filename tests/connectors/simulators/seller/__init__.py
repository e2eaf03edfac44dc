"""The simulated seller, held to the protocol."""
