"""The verbs of events and endpoints; each is called by the API, the console, jobs and other apps' verbs alike."""
