"""Realtime: the event log, followed over WebSocket and SSE. It runs in the event loop of the web process."""
