"""How the console writes a time."""
