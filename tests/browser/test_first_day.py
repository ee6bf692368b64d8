"""The first day on a fresh machine: from the printed password to an answer that a person approved."""

from tests.browser.people import People, Person
from tests.browser.steps import Agent, first_owner, save, shown_after_reloading, switch_to, write_to
from tests.site.instance import Instance

SCOPES = ["inboxes:write", "messages:read", "drafts:read", "drafts:write"]
QUESTION = "When does the ferry leave?"
ANSWER = "At nine, from pier four."
HTML = f"""<p>{QUESTION}</p><script>document.title = "run"</script><img src="https://tracker.example/open.gif">"""


def test_from_the_printed_password_to_an_approved_answer(people: People, instance: Instance) -> None:
    owner = first_owner(people, instance)
    create_environment(owner, "Ferry line")
    agent = Agent(owner.base, create_key(owner, "Ferry agent"))
    inbox = agent.done("POST", "/inboxes", {"username": "piers"})
    write_to(instance, inbox["email"], QUESTION, f"{QUESTION}\n\nOn Monday you wrote:\n> earlier words", HTML)
    read(owner)
    draft = propose(agent, inbox)
    approve_by_keyboard(owner)
    sent = agent.done("GET", f"/drafts/{draft['id']}")
    assert sent["state"] == "sent"
    assert agent.done("GET", f"/messages/{sent['message_id']}")["status"] == "captured"
    see_what_was_captured(owner)


def create_environment(owner: Person, name: str) -> None:
    owner.visit("/console/environments/environment/add/")
    owner.page.get_by_label("Name").first.fill(name)
    save(owner)
    switch_to(owner, name)
    assert f"{name} capture" in " ".join(owner.page.locator("#environment-bar").inner_text().split())


def create_key(owner: Person, name: str) -> str:
    """Make a key, copy it as a person does, and see that it is not told again."""
    owner.context.grant_permissions(["clipboard-read", "clipboard-write"])
    owner.visit("/console/apikeys/apikey/add/")
    owner.page.fill("[name=name]", name)
    for scope in SCOPES:
        owner.page.check(f"[name=scopes][value='{scope}']")
    save(owner)
    secret = owner.page.locator("#secret").inner_text().strip()
    owner.page.get_by_role("button", name="Copy the secret").click()
    assert owner.page.evaluate("navigator.clipboard.readText()") == secret
    owner.page.reload()
    assert secret not in owner.page.content()
    assert Agent(owner.base, secret).done("GET", "/me")["name"] == name
    return secret


def read(owner: Person) -> None:
    """Find the mail in the list, read what is new in it, and look at its HTML, which runs and loads nothing."""
    owner.visit("/console/mail/thread/")
    owner.page.get_by_role("link", name=QUESTION).first.click()
    assert "earlier words" not in owner.page.locator("main").inner_text()
    owner.page.get_by_role("link", name="Open message").first.click()
    owner.page.get_by_role("link", name="HTML").click()
    frame = owner.page.frame_locator("iframe.mail-frame")
    assert QUESTION in frame.locator("body").inner_text()
    assert frame.locator("script").count() == frame.locator("img[src*=tracker]").count() == 0
    assert "run" not in owner.page.title()


def propose(agent: Agent, inbox: dict[str, str]) -> dict[str, str]:
    """Let the agent try to send, which it may not, and ask a person instead."""
    [message] = agent.done("GET", "/messages")["data"]
    status, refusal = agent.call("POST", f"/messages/{message['id']}/reply", {"text_body": ANSWER})
    assert (status, refusal["error"]["code"]) == (403, "missing_scope")
    mail = {"to": "nora@customer.example", "subject": f"Re: {QUESTION}", "text_body": ANSWER}
    draft: dict[str, str] = agent.done("POST", f"/inboxes/{inbox['id']}/drafts", mail)
    return agent.done("POST", f"/drafts/{draft['id']}/submit") or draft


def approve_by_keyboard(owner: Person) -> None:
    """Approve and send with the keys that the queue names: no mouse."""
    owner.visit("/console/approvals/")
    assert ANSWER in owner.sees()
    with owner.page.expect_navigation():
        owner.page.keyboard.press("s")
        owner.page.keyboard.press("s")
    assert "Nothing waits for a decision" in owner.sees()


def see_what_was_captured(owner: Person) -> None:
    owner.visit("/console/mail/message/?status__exact=captured")
    owner.page.get_by_role("link", name=QUESTION).first.click()
    shown_after_reloading(owner, "nora@customer.example")
    assert "it has not left" in owner.sees()
