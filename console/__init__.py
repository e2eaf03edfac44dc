"""How people ask and are told: command line, HTTP API and web console."""
