"""A webhook made in the browser: its receiver is told, what went over the wire can be read, and sent again."""

from pytest_httpserver import HTTPServer

from tests.browser.people import People, Person
from tests.browser.steps import eventually, first_owner, save, shown_after_reloading, stand_in, write_to
from tests.site.instance import Instance


def test_an_endpoint_is_told_and_every_delivery_can_be_read(
    people: People, instance: Instance, httpserver: HTTPServer
) -> None:
    httpserver.expect_request("/hook").respond_with_data("noted with thanks", status=202)
    owner = first_owner(people, instance)
    stand_in(owner, "development")
    secret = create_endpoint(owner, httpserver.url_for("/hook"))
    send_test(owner)
    assert secret not in owner.page.content()
    write_to(instance, instance.told("inbox"), "Is the lighthouse open?", "On Sunday, I mean.")
    eventually(lambda: [body for body in bodies(httpserver) if "lighthouse" in body], "the webhook")
    read_delivery(owner)
    before = len(httpserver.log)
    owner.page.get_by_role("button", name="Retry now").click()
    eventually(lambda: len(httpserver.log) > before, "the second post")


def create_endpoint(owner: Person, url: str) -> str:
    owner.visit("/console/webhooks/webhookendpoint/add/")
    owner.page.fill("[name=url]", url)
    owner.page.check("[name=events][value='message.received']")
    save(owner)
    secret = owner.page.locator("#secret").inner_text().strip()
    assert secret.startswith("whsec_")
    return secret


def send_test(owner: Person) -> None:
    owner.page.get_by_role("link", name="send a test").click()
    owner.page.locator("main form [type=submit]").first.click()
    shown_after_reloading(owner, "noted with thanks")


def bodies(httpserver: HTTPServer) -> list[str]:
    return [request.get_data(as_text=True) for request, _ in httpserver.log]


def read_delivery(owner: Person) -> None:
    """Find the delivery in the list; its page shows what was posted and what came back."""
    owner.visit("/console/webhooks/webhookdelivery/")
    eventually(lambda: owner.page.reload() and owner.page.locator("main a[href*='whd_']").count() > 1, "the delivery")
    owner.page.locator("main a[href*='whd_']").first.click()
    shown_after_reloading(owner, "noted with thanks")
    for words in ("Is the lighthouse open?", "202"):
        assert words in owner.sees()
    assert "x-agentpost-signature" in owner.page.content()
