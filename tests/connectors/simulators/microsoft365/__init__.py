"""The simulated Microsoft 365, over real HTTP."""
