"""What belongs to a person rather than to an environment: signing in, the second factor, sessions, the password."""
