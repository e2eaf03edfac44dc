"""The command line as a process, the API and the pages over HTTP."""
