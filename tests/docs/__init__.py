"""What the documents tell, played."""
