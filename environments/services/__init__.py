"""The verbs of organizations and environments; each is called by the API, the console and the commands alike."""
