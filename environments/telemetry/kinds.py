"""The kinds of processes that a server has."""

KINDS = {  # each with the command of manage.py that is one
    "web": "web",
    "smtp": "smtpd",
    "deliverer": "deliver",
    "sender": "send_mail",
    "worker": "procrastinate",
}
KIND_OF = {command: kind for kind, command in KINDS.items()}
