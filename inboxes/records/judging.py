"""What is published, held against what should be: a status for each record, and a reason that a person can act on."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence

from inboxes.records import spf
from inboxes.records.asking import Answer, Answers, Question
from inboxes.records.values import MOST_SHOWN, Purpose, Record, Seen, Status, shown

MOST_PARENTS = 4
NULL_MX = "."
SHORTEST_KEY = 20


def questions(domain: str, records: Iterable[Record]) -> list[Question]:
    """Return everything to ask DNS for, so that each record can be judged."""
    asked: list[Question] = []
    for record in records:
        asked.append((record.name, record.type))
        if record.purpose in {Purpose.OWNERSHIP, Purpose.DKIM}:
            asked.append((doubled(record.name, domain), "TXT"))
        if record.purpose is Purpose.DMARC:
            asked += [(name, "TXT") for name in parents(record.name)]
    return asked


def doubled(name: str, domain: str) -> str:
    """Return where a record ends up when a provider appends the domain to a name that has it already."""
    return f"{name}.{domain}"


def parents(name: str) -> list[str]:
    """Return where the DMARC records of the domains above would be, nearest first (RFC 7489, section 6.6.3)."""
    labels = name.split(".")[2:]
    names = [".".join(("_dmarc", *labels[start:])) for start in range(len(labels) - 1)]
    return names[-MOST_PARENTS:]


def judge(domain: str, records: Iterable[Record], answers: Answers, before: Mapping[str, Seen]) -> dict[str, Seen]:
    """Return what was seen of each record, by its key.

    Where DNS did not answer, the status is the one from ``before``, and ``is_known`` is False.
    """
    return {record.key: _seen(domain, record, answers, before.get(record.key, Seen())) for record in records}


def _seen(domain: str, record: Record, answers: Answers, before: Seen) -> Seen:
    answer = answers[record.name, record.type]
    if answer.failure:
        reason = f"DNS gave no answer ({answer.failure}), so nothing is known anew. It will be asked again."
        return Seen(before.status, reason, before.found, is_known=False)
    return JUDGES[record.purpose](domain, record, answer, answers)


def _missing(record: Record, *, more: str = "") -> Seen:
    return Seen(Status.PENDING, f"There is no {record.type} record at {record.name} yet.{more}")


def _failed(reason: str, found: Sequence[str]) -> Seen:
    return Seen(Status.FAILED, reason, _found(found))


def _verified(found: Sequence[str], reason: str = "") -> Seen:
    return Seen(Status.VERIFIED, reason, _found(found))


def _found(values: Sequence[str]) -> tuple[str, ...]:
    return tuple(shown(value) for value in values[:MOST_SHOWN])


# --- Ownership --------------------------------------------------------------------------------------------------------


def _ownership(domain: str, record: Record, answer: Answer, answers: Answers) -> Seen:
    if record.value in (value.strip() for value in answer.values):
        return _verified([record.value])
    if not answer.values:
        return _missing_or_misplaced(domain, record, answers)
    ours = [value for value in answer.values if value.strip().strip('"').startswith("agentpost-verification=")]
    if any(value.strip().strip('"') == record.value for value in ours):
        return _failed("The value is published with quotation marks inside: enter it without any.", ours)
    if ours:
        reason = f"{record.name} has the token of another claim: publish the one shown here, beside it if need be."
        return _failed(reason, ours)
    return _failed(f"{record.name} has a TXT record, but not this one: add it.", answer.values)


def _missing_or_misplaced(domain: str, record: Record, answers: Answers) -> Seen:
    misplaced = doubled(record.name, domain)
    elsewhere = answers.get((misplaced, "TXT"), Answer()).values
    if elsewhere:
        name = record.name.removesuffix(f".{domain}")
        reason = f"The record is at {misplaced}: your DNS provider appends the domain. Enter the name as {name}."
        return _failed(reason, elsewhere)
    return _missing(record)


# --- MX ---------------------------------------------------------------------------------------------------------------


def _mx(_: str, record: Record, answer: Answer, __: Answers) -> Seen:
    host = record.value.partition(" ")[2].rstrip(".")
    found = sorted((_preference(value), value.partition(" ")[2]) for value in answer.values)
    if not found:
        return _missing(record)
    hosts = [each for _, each in found]
    if host not in hosts:
        return _failed(_where_it_points(host, hosts, record), answer.values)
    best = found[0][0]
    others = [each for preference, each in found if each != host and preference == best]
    if next(preference for preference, each in found if each == host) != best:
        first = hosts[0]
        reason = f"The MX names {host}, but {first} comes first: give {host} the lowest number, or remove {first}."
        return _failed(reason, answer.values)
    if others:
        reason = f"The MX names {others[0]} with the same number: a part of the mail goes there. Remove it."
        return _failed(reason, answer.values)
    return _verified(answer.values)


def _preference(value: str) -> int:
    number = value.partition(" ")[0]
    return int(number) if number.isdigit() else 0


def _where_it_points(host: str, hosts: Sequence[str], record: Record) -> str:
    if NULL_MX in hosts or "" in hosts:
        return f"{record.name} says that it takes no mail (a null MX, RFC 7505): replace it by {host}."
    appended = next((each for each in hosts if each.startswith(f"{host}.")), None)
    if appended:
        return f"The MX points to {appended}: your DNS provider appended the domain. End the value with a dot."
    return f"The MX points to {', '.join(hosts)}, not to {host}: mail goes there."


# --- SPF, DMARC, DKIM -------------------------------------------------------------------------------------------------


def _spf(_: str, record: Record, answer: Answer, __: Answers) -> Seen:
    published = [value for value in answer.values if spf.is_record(value)]
    if not published:
        return _missing(Record("SPF (TXT)", record.name, record.value, record.purpose))
    problem = spf.problem(published, record.value)
    return _failed(problem, published) if problem else _verified(published)


def _dmarc(_: str, record: Record, answer: Answer, answers: Answers) -> Seen:
    for name in (record.name, *parents(record.name)):
        told = answer if name == record.name else answers.get((name, "TXT"), Answer())
        published = [value for value in told.values if value.lower().replace(" ", "").startswith("v=dmarc1")]
        if len(published) > 1:
            return _failed(f"{name} has two DMARC records, so none counts: keep one.", published)
        if published and name == record.name and "p" not in tags(published[0]):
            return _failed("The DMARC record has no policy: add p=none, p=quarantine or p=reject.", published)
        if published:
            return _verified(published, "" if name == record.name else f"The policy at {name} holds for it too.")
    more = " Without it large providers treat bulk mail as suspicious; p=none asks for nothing."
    return _missing(record, more=more)


def _dkim(domain: str, record: Record, answer: Answer, answers: Answers) -> Seen:
    if not answer.values:
        return _missing_or_misplaced(domain, record, answers)
    if len(answer.values) > 1:
        return _failed(f"{record.name} has {len(answer.values)} TXT records, so none counts: keep one.", answer.values)
    published, expected = tags(answer.values[0]), tags(record.value)
    key = "".join(published.get("p", "").split())
    problem = _key_problem(key, expected["p"], published, expected)
    return _failed(problem, answer.values) if problem else _verified(answer.values)


def _key_problem(key: str, expected: str, published: Mapping[str, str], wanted: Mapping[str, str]) -> str:
    """Return what is wrong with a published key, or an empty string."""
    if not key:
        return "The record holds no public key (p=), which means that the key is revoked. Publish the value shown here."
    if len(key) >= SHORTEST_KEY and key != expected and expected.startswith(key):
        return (
            f"The key is cut off after {len(key)} of {len(expected)} characters. A string of TXT holds 255: enter the "
            "value in several strings, as in the zone file."
        )
    if key != expected:
        return "Another key is published there. Replace the value by the one shown here."
    if published.get("k", "rsa") != wanted["k"]:
        return f"The record says k={shown(published.get('k', 'rsa'))}: the key is for k={wanted['k']}."
    if "y" in published.get("t", "").split(":"):
        return "The key is in test mode (t=y), in which signatures count for nothing. Remove t=y."
    return ""


def tags(value: str) -> dict[str, str]:
    """Return the tags of a DKIM or DMARC record by name; what is no tag is left out."""
    pairs = (piece.partition("=") for piece in value.split(";"))
    return {name.strip().lower(): content.strip() for name, equals, content in pairs if equals}


Judge = Callable[[str, Record, Answer, Answers], Seen]
JUDGES: Mapping[Purpose, Judge] = {
    Purpose.OWNERSHIP: _ownership,
    Purpose.RECEIVING: _mx,
    Purpose.SPF: _spf,
    Purpose.DKIM: _dkim,
    Purpose.DMARC: _dmarc,
    Purpose.RETURN_PATH_MX: _mx,
    Purpose.RETURN_PATH_SPF: _spf,
}
