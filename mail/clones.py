"""What is copied of mail: nothing. These say so in every plan, with the reason."""

from collections.abc import Sequence

from environments.cloning import Copy, never

COPIES: Sequence[Copy] = (
    never("transport", "How mail leaves is told with secrets; set it in this environment."),
    never("mail", "Messages, threads, labels and drafts stay where they are."),
)
