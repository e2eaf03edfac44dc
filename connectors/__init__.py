"""How a vendor says it: all the wire, to directories, sellers and receivers."""
