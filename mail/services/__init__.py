"""The verbs of mail: receive, send, label, delete; each is called by SMTP, the API, the console and jobs alike."""
