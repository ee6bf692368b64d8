"""The Model Context Protocol: the API as tools that a language model can call, at ``/mcp``."""
