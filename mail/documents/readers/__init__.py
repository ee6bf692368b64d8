"""One reader a format, each run in a process of its own: `pieces` yields the text of a document as it is found."""
