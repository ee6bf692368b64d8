"""Every flag that inspection can put on a message, with what it says and whether it is hostile."""

from __future__ import annotations

from typing import NamedTuple

HIDDEN_TEXT = "hidden_text"
ZERO_WIDTH_CHARACTERS = "zero_width_characters"
TAG_CHARACTERS = "tag_characters"
VARIATION_SELECTOR_DATA = "variation_selector_data"
BIDI_OVERRIDE = "bidi_override"
HOMOGRAPH_SENDER = "homograph_sender"
HOMOGRAPH_LINK = "homograph_link"
LINK_TEXT_MISMATCH = "link_text_mismatch"
DECEPTIVE_LINK = "deceptive_link"
REPLY_TO_MISMATCH = "reply_to_mismatch"
DISPLAY_NAME_SPOOFING = "display_name_spoofing"
INSTRUCTION_LIKE_TEXT = "instruction_like_text"
QUOTED_INSTRUCTIONS = "quoted_instructions"
EXECUTABLE_ATTACHMENT = "executable_attachment"
DOUBLE_EXTENSION = "double_extension"
MACRO_DOCUMENT = "macro_document"
ENCRYPTED_ARCHIVE = "encrypted_archive"
ARCHIVE_WITH_EXECUTABLE = "archive_with_executable"
ACTIVE_ATTACHMENT = "active_attachment"
ATTACHMENT_TYPE_MISMATCH = "attachment_type_mismatch"


class Meaning(NamedTuple):
    """What a flag says in one sentence; a hostile one is reason enough to quarantine, another is only worth knowing."""

    sentence: str
    is_hostile: bool


MEANINGS = {
    HIDDEN_TEXT: Meaning("The HTML holds text that a person does not see.", True),
    ZERO_WIDTH_CHARACTERS: Meaning("Invisible characters split words or carry data.", True),
    TAG_CHARACTERS: Meaning("Unicode tag characters carry a text that nobody sees.", True),
    VARIATION_SELECTOR_DATA: Meaning("Runs of variation selectors carry data that nobody sees.", True),
    BIDI_OVERRIDE: Meaning("A bidirectional override shows text in another order than it is read.", True),
    HOMOGRAPH_SENDER: Meaning("The sender's domain imitates another one with look-alike characters.", True),
    HOMOGRAPH_LINK: Meaning("A link's domain imitates another one with look-alike characters.", True),
    LINK_TEXT_MISMATCH: Meaning("A link shows another host or address than the one it leads to.", True),
    DECEPTIVE_LINK: Meaning("A link is written so that its real target is not seen.", True),
    REPLY_TO_MISMATCH: Meaning("Answers would go to another domain than the sender's.", False),
    DISPLAY_NAME_SPOOFING: Meaning("The sender's display name claims to be somebody else.", True),
    INSTRUCTION_LIKE_TEXT: Meaning("Something in the mail reads like an instruction to a language model.", True),
    QUOTED_INSTRUCTIONS: Meaning("The mail quotes or mentions what would instruct a language model.", False),
    EXECUTABLE_ATTACHMENT: Meaning("An attachment is a programme or runs like one.", True),
    DOUBLE_EXTENSION: Meaning("An attachment's name pretends to be of another type.", True),
    MACRO_DOCUMENT: Meaning("An attached document holds macros.", True),
    ENCRYPTED_ARCHIVE: Meaning("An attachment is encrypted, so nobody could look into it.", False),
    ARCHIVE_WITH_EXECUTABLE: Meaning("An attached archive holds a programme.", True),
    ACTIVE_ATTACHMENT: Meaning("An attached HTML or SVG file holds script or asks for a password.", True),
    ATTACHMENT_TYPE_MISMATCH: Meaning("An attachment's content contradicts the type that it claims.", True),
}


def meaning_of(flag: str) -> str:
    """Return what a flag says, in one sentence; empty for a flag of another stage."""
    meaning = MEANINGS.get(flag)
    return meaning.sentence if meaning else ""


def is_hostile(flag: str) -> bool:
    """Whether a flag is reason to quarantine; a flag of another stage is not."""
    meaning = MEANINGS.get(flag)
    return meaning is not None and meaning.is_hostile
