"""The verbs of addresses; each is called by the API, the console and the commands alike."""
