"""What may be taken for a name or a heading: one line of text."""


def is_single_line(value: str) -> bool:
    """Return whether the text is one line without control characters, the tab excepted."""
    return value.splitlines() in ([], [value]) and not any(_is_control(character) for character in value)


def _is_control(character: str) -> bool:
    return (character < " " and character != "\t") or character == "\x7f"
