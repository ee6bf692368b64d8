"""What is promised when things break, counted: faults while mail, API calls and webhooks run, and hosts that die."""
