"""The API of inboxes, messages, threads, labels and attachments."""
