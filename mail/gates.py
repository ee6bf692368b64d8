"""Which environment an item of mail belongs to, asked before the environment is known."""

from environments.gates import environment_of

GATES = [
    environment_of("mail.Message", "message"),
    environment_of("mail.Thread", "thread"),
    environment_of("mail.Attachment", "attachment"),
]
