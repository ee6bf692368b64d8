"""What telling of events costs and how long it takes."""
