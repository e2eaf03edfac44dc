"""The simulated Google Workspace, over real HTTP."""
