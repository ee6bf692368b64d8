"""The front: one port, an event loop that holds connections, and threads behind it that answer."""
