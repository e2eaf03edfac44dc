"""Google Workspace: what only its connector has."""
