"""What is hostile about a message: flags with their evidence, and a text that a language model may be shown."""

from mail.inspection.fence import about_authentication, about_flags, fence, text_for_model, visible
from mail.inspection.flags import MEANINGS, is_hostile
from mail.inspection.inspecting import Inspection, begin, inspect
from mail.inspection.senders import names_to_look_up
from mail.inspection.values import Finding, Ours

__all__ = [
    "MEANINGS",
    "Finding",
    "Inspection",
    "Ours",
    "about_authentication",
    "about_flags",
    "begin",
    "fence",
    "inspect",
    "is_hostile",
    "names_to_look_up",
    "text_for_model",
    "visible",
]
