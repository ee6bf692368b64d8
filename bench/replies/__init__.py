"""How well AgentPost and the libraries of the field find what is new in the fixtures of reply-extraction projects."""
