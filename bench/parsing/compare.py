"""Where two views of one message differ in what a reader would see; layout, case and our cleaning are no difference.

White space and the marks of quoting do not count in plain bodies: who puts flowed text together moves them.
"""

import re

from bench.parsing.views import View

FIELDS = ("subject", "from", "to", "cc", "text", "html", "attachment names", "attachment types", "attachment contents")
_UNDECODED = re.compile("[\ufffd\x80-\x9f]")
_UNSTORABLE = re.compile("[\x00\ufffd\ud800-\udfff]+")


def differing(ours: View, theirs: View) -> dict[str, tuple[object, object]]:
    """Return the fields in which the views differ, each with our value and theirs."""
    pairs = {name: (_plain(ours, name), _plain(theirs, name)) for name in FIELDS}
    return {name: pair for name, pair in pairs.items() if pair[0] != pair[1]}


def reason(field: str, ours: View, theirs: View) -> str:
    """Return the class of a disagreement in this field, as far as a rule can tell; the rest is to be looked at."""
    if field.startswith("attachment"):
        return _reason_of_attachments(ours, theirs)
    left, right = str(ours[field]), str(theirs[field])
    if field in ("from", "to", "cc"):
        return _reason_of_addresses(ours[field], theirs[field])
    if _UNDECODED.search(right) and not _UNDECODED.search(left):
        return "they could not decode a character"
    if not left.isascii() and _ascii_of(left) == _ascii_of(right):
        return "another charset was guessed where none, or a wrong one, was declared"
    if left and right.replace("\n", "").strip().startswith(left.replace("\n", "").strip()[:200]):
        return "they add attached text to the body, or end it elsewhere"
    return "to be looked at"


def _reason_of_attachments(ours: View, theirs: View) -> str:
    if len(ours["attachments"]) != len(theirs["attachments"]):
        return "a text part counted as body by one, as attachment by the other; or an embedded message taken apart"
    if ours["attachments"] and all(row[1].startswith(("text/", "message/")) for row in ours["attachments"]):
        return "they change textual attachments, or name their type otherwise"
    return "to be looked at"


def _reason_of_addresses(ours: list[str], theirs: list[str]) -> str:
    if all("@" not in each.strip("@ ") for each in theirs if each not in ours):
        return "what has no local part and domain is no address for us"
    if any(not each.isascii() for each in (*ours, *theirs)):
        return "raw 8-bit bytes in the address"
    return "one address of a malformed list is more, or less"


def _ascii_of(text: str) -> str:
    return "".join(character for character in text if " " < character < "\x7f")


def _plain(view: View, field: str) -> object:
    if field.startswith("attachment"):
        column = ("names", "types", "contents").index(field.partition(" ")[2])
        values = sorted(_cell(row[column], column) for row in view["attachments"])
        return [value for value in values if value] if column == 0 else values
    if field in ("from", "to", "cc"):
        return [str(email).lower() for email in view[field]]
    if field == "text":
        return _UNSTORABLE.sub("", "".join(view[field].split()).replace(">", ""))
    return _UNSTORABLE.sub("", " ".join(view[field].split()))


def _cell(value: str, column: int) -> str:
    """A name that we made up because there was none counts as none."""
    return "" if column == 0 and re.fullmatch(r"attachment-\d+\.\w+|invite\.ics", value) else value
