"""How `mail.parsing` reads a folder of real mail, and where two parsers of other origin read it differently."""
