"""Support triage: read what a customer writes, sort it, propose an answer, and send it once somebody has said yes.

The key of this agent has no ``messages:send``: whatever the model comes up with, a person decides whether it goes out.
"""

import argparse
import os
import smtplib
import sys
import time
from dataclasses import dataclass
from email.message import EmailMessage
from email.utils import make_msgid

from agentpost import AgentPost
from agentpost.models import Draft, Message

BASE_URL = os.environ.get("AGENTPOST_BASE_URL", "http://127.0.0.1:8000")
SMTP = os.environ.get("AGENTPOST_SMTP", "127.0.0.1:2525")
CUSTOMER = "ann@customer.example"
QUESTION = "Hello,\n\nyou charged me twice for order 4711. Please send one of the two amounts back.\n\nAnn\n"


@dataclass(frozen=True)
class Decision:
    """What the model makes of a mail: a label, and an answer to propose."""

    label: str
    answer: str


# --- The model: put yours here ----------------------------------------------------------------------------------------

ANSWERS = {
    "refund": "Thank you for telling us. We have sent one of the two amounts back; it takes three days to arrive.",
    "delivery": "Thank you for asking. Your order is on its way; you get a mail with the tracking number today.",
    "other": "Thank you for writing. A colleague looks at this and writes back today.",
}
WORDS = {"refund": ("charged", "refund", "money back"), "delivery": ("where is", "delivery", "arrive")}


def decide(mail: str) -> Decision:
    """Return what to do about a mail. Stands in for a language model; the README shows how to call one."""
    label = next((label for label, words in WORDS.items() if any(word in mail.lower() for word in words)), "other")
    return Decision(label, f"Hello,\n\n{ANSWERS[label]}\n\nAcme support\n")


# --- The agent --------------------------------------------------------------------------------------------------------


def main() -> None:
    """Take in one mail, and answer it."""
    options = arguments()
    with AgentPost() as agent:
        inbox = agent.inboxes.create(username="support", display_name="Acme support", client_id="example-triage")
        since = agent.messages.wait(inbox.id, timeout=0).now
        customer_writes(inbox.email)
        print(f"1. {CUSTOMER} wrote to {inbox.email}.")

        mail = agent.messages.wait(inbox.id, since=since, from_=CUSTOMER, timeout=30).message
        if mail is None:
            sys.exit("The mail did not arrive within 30 seconds.")
        draft = propose(agent, mail)
        print(f"3. Waiting for a yes. Look at it, and press a: {BASE_URL}/console/approvals/{draft.id}/")

        if options.approve:
            colleague_approves(draft)
        draft = decided(agent, draft)
        if draft.state != "approved":
            sys.exit(f"   It was {draft.state}: {draft.rejection_reason}")
        sent = agent.messages.get(agent.drafts.send(draft.id).message_id)
        print(f"5. The answer is {sent.status}: {sent.subject!r} to {sent.to_addresses[0].email}.")
        print(f"   {sent.recipients[0].explanation}")


def arguments() -> argparse.Namespace:
    """Return what the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--approve", action="store_true", help="say yes with AGENTPOST_REVIEWER_KEY, with no person")
    return parser.parse_args()


def propose(agent: AgentPost, mail: Message) -> Draft:
    """Sort a mail, and put an answer before somebody who may say yes."""
    decision = decide(mail.extracted_text or "")
    agent.threads.add_labels(mail.thread_id, labels=[decision.label])
    draft = agent.drafts.create(mail.inbox_id, in_reply_to_message_id=mail.id, text_body=decision.answer)
    print(f"2. It is about: {decision.label}. The agent proposes {draft.id}:\n")
    print("   | " + decision.answer.rstrip().replace("\n", "\n   | ") + "\n")
    return agent.drafts.submit(draft.id)


def decided(agent: AgentPost, draft: Draft) -> Draft:
    """Wait until somebody has said yes or no, or the time for it is over."""
    while draft.state == "pending_approval":
        time.sleep(1)
        draft = agent.drafts.get(draft.id)
    return draft


# --- The others -------------------------------------------------------------------------------------------------------


def colleague_approves(draft: Draft) -> None:
    """Say yes as a second key, of another family: nobody approves what they wrote themselves."""
    with AgentPost(api_key=os.environ["AGENTPOST_REVIEWER_KEY"]) as reviewer:
        approved = reviewer.drafts.approve(draft.id, version=draft.version)
    print(f"4. {approved.approved_by.name} said yes to version {draft.version}.")


def customer_writes(address: str) -> None:
    """Send the customer's mail as any mail server would."""
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Subject"] = f"Ann <{CUSTOMER}>", address, "Charged twice"
    mail["Message-ID"] = make_msgid(domain="customer.example")
    mail.set_content(QUESTION)
    host, port = SMTP.rsplit(":", 1)
    with smtplib.SMTP(host, int(port), timeout=30) as server:
        server.send_message(mail)


if __name__ == "__main__":
    main()
