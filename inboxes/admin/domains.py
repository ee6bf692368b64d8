"""Console pages of domains and their DKIM keys."""

from collections.abc import Callable
from typing import Any, ClassVar

from django import forms
from django.contrib import admin, messages
from django.http import HttpResponse, HttpResponseRedirect
from unfold.decorators import action

from environments.binding import finish, inside
from environments.console import second_factor
from environments.console.admins import EnvironmentModelAdmin
from environments.console.forms import ActionForm, ConfinedModelForm, sentences_of
from environments.console.lists import Filters, ListPage, RowPage
from environments.console.middleware import Proceeding
from environments.console.permissions import Kind
from environments.console.reach import ConsoleRequest
from environments.console.site import site
from environments.errors import Refusal
from inboxes.models import Domain, Inbox, SigningKey
from inboxes.services import domains, signing_keys, verification

PURPOSES = {
    "ownership": "Proves that the domain is yours",
    "receiving": "Brings mail for the domain here",
    "spf": "Lets this server send for the domain",
    "dkim": "Lets receivers check our signature",
    "dmarc": "Says what becomes of mail that fails both",
    "return_path_mx": "Brings bounces back here",
    "return_path_spf": "Lets this server send bounces' envelopes",
}


class DomainForm(ConfinedModelForm):
    """The name of a domain to claim."""

    class Meta:
        model = Domain
        fields: ClassVar = ["name"]
        help_texts: ClassVar = {
            "name": "Such as mail.example.com. The next page shows the DNS records to publish; nothing changes for the "
            "domain until you do."
        }


class DomainFilters(Filters):
    """Which domains."""

    status = forms.ChoiceField(choices=[("", "Any status"), *Domain.Status.choices], required=False)
    name = forms.CharField(max_length=253, required=False, label="Name holds")

    def narrow(self, rows: Any, asked: dict[str, Any]) -> Any:
        """Return the domains asked for; there are few in an environment, so a part of a name will do."""
        wanted = {"status": "status", "name": "name__icontains"}
        return rows.filter(**{wanted[name]: value for name, value in asked.items()})


class CatchAllForm(ActionForm):
    """Which inbox takes what no other does."""

    inbox: Any = forms.ModelChoiceField(
        queryset=None,
        required=False,
        empty_label="None: such mail is refused",
        help_text="Mail to any address of the domain that has no inbox of its own goes there.",
    )

    def __init__(self, rows: Any, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.fields["inbox"].queryset = rows  # type: ignore[attr-defined]


@admin.register(Domain, site=site)
class DomainAdmin(ListPage, RowPage, EnvironmentModelAdmin):
    """Domains of the environment, and what their DNS must say."""

    section = "Mail"
    icon = "language"
    rights = Kind.RESOURCE
    offers = frozenset({"view", "add", "delete"})
    add_form = DomainForm
    add_fields = ("name",)
    ordering = ("-pk",)
    list_page = "console/settings/domains.html"
    list_defer = ("checks",)
    filters = DomainFilters
    row_template = "console/settings/domain.html"
    acts_elsewhere = frozenset({"ask_dns", "zone_file", "choose_catch_all"})
    actions_detail: ClassVar = ["ask_dns", "zone_file", "rotate_keys", "choose_catch_all", "vouch"]

    def row_context(self, request: ConsoleRequest, row: Domain) -> dict[str, Any]:
        """Return the records that the domain needs, each with what DNS says of it, and its keys."""
        keys = signing_keys.of_domains(row.environment, [row])[row.pk]
        records = [record | {"why": PURPOSES[record["purpose"]]} for record in domains.dns_records(row, keys)]
        required = [record for record in records if record["required"]]
        return {
            **super().row_context(request, row),
            "records": sorted(records, key=lambda record: not record["required"]),
            "keys": keys,
            "missing": sum(record["status"] != "verified" for record in required),
            "required": len(required),
            "may_tend": self.has_tend_permission(request),
            "catch_all": _catch_all(row),
        }

    def save_model(self, request: ConsoleRequest, obj: Domain, form: Any, change: bool) -> None:  # noqa: FBT001
        console = request.console
        made, _ = domains.add_domain(console.here, form.cleaned_data["name"], actor=console.actor)
        obj.__dict__.update(made.__dict__)

    def response_add(self, request: ConsoleRequest, obj: Domain, *_: Any) -> HttpResponse:
        """Lead to the records, which come next."""
        messages.success(request, f"{obj.name} is added. Publish these records at your DNS provider, then verify.")
        return HttpResponseRedirect(self.url(obj))

    def delete_model(self, request: ConsoleRequest, obj: Domain) -> None:
        domains.remove_domain(obj, request.console.here, actor=request.console.actor)

    def has_tend_permission(self, request: ConsoleRequest, object_id: Any = None) -> bool:
        """Return whether this person sets up the environment's domains."""
        return request.console.may(Kind.RESOURCE, "change")

    @action(description="Verify now", url_path="verify", permissions=["tend"])
    def ask_dns(self, request: ConsoleRequest, object_id: str) -> HttpResponse:
        """Ask DNS for the domain's records, outside of every transaction."""
        domain, console = self.found(request, object_id), request.console

        def carry_out(_: dict[str, Any]) -> HttpResponse:
            check = verification.begin(domain, console.here)
            verification.count(console.here)
            return Proceeding(lambda: self._checked(request, check))

        explanation = "DNS is asked for all records of the domain, which takes a few seconds at the most."
        return self._ask(request, domain, carry_out, "Verify domain", explanation)

    def _checked(self, request: ConsoleRequest, check: verification.Check) -> HttpResponse:
        """Ask, write down what was found, and return to the domain."""
        console = request.console
        try:
            with verification.place():
                answers = verification.ask(check)
            with inside(console.here):
                status = verification.conclude(check, console.here, answers, actor=console.actor).status
        except Refusal as refusal:
            finish(refusal)
            for _, sentence in sentences_of(refusal):
                messages.error(request, sentence)
        else:
            messages.success(request, f"DNS was asked. The domain is {status}; each record tells what was found.")
        return HttpResponseRedirect(self.url(check.domain))

    @action(description="Zone file", url_path="zone-file", permissions=["view"])
    def zone_file(self, request: ConsoleRequest, object_id: str) -> HttpResponse:
        """Hand out the records as a zone file, which most DNS providers import."""
        domain = self.found(request, object_id)
        keys = signing_keys.of_domains(domain.environment, [domain])[domain.pk]
        response = HttpResponse(domains.zone(domain, keys), content_type="text/dns; charset=utf-8")
        response["Content-Disposition"] = f'attachment; filename="{domain.name}.zone"'
        return response

    @action(description="Rotate DKIM keys", url_path="rotate-keys", permissions=["tend"])
    def rotate_keys(self, request: ConsoleRequest, object_id: str) -> HttpResponse:
        """Make new DKIM keys, which sign once DNS shows them."""
        domain, console = self.found(request, object_id), request.console

        def carry_out(_: dict[str, Any]) -> str:
            domains.rotate_keys(domain, console.here, actor=console.actor)
            return "New keys wait for their records in DNS; the old ones sign until then."

        explanation = "Publish the new records, then verify. Leave the old ones in DNS for a week after that."
        return self._ask(request, domain, carry_out, "Rotate DKIM keys", explanation)

    @action(description="Catch-all", url_path="catch-all", permissions=["tend"])
    def choose_catch_all(self, request: ConsoleRequest, object_id: str) -> HttpResponse:
        """Choose the inbox that takes what no other inbox of the domain does."""
        domain, console = self.found(request, object_id), request.console
        rows = self.admin_site.rows(request, Inbox).filter(domain=domain).order_by("email")
        form = CatchAllForm(rows, request.POST if request.method == "POST" else None, initial=_chosen(domain))

        def carry_out(given: dict[str, Any]) -> str:
            domains.choose_catch_all(domain, console.here, given["inbox"], actor=console.actor)
            taker = given["inbox"]
            return f"{taker} takes what no other inbox does." if taker else "Mail to unknown addresses is refused."

        return self.act(request, domain, form, carry_out, title="Choose catch-all")

    def _ask(
        self,
        request: ConsoleRequest,
        domain: Domain,
        carry_out: Callable[[dict[str, Any]], HttpResponse | str],
        title: str,
        explanation: str,
    ) -> HttpResponse:
        form = ActionForm(request.POST if request.method == "POST" else None)
        return self.act(request, domain, form, carry_out, title=title, explanation=explanation)

    def has_vouch_permission(self, request: ConsoleRequest, object_id: Any = None) -> bool:
        """Return whether this person answers for domains that DNS does not prove."""
        return request.console.is_operator

    @action(description="Vouch for it", url_path="vouch", permissions=["vouch"])
    def vouch(self, request: ConsoleRequest, object_id: str) -> HttpResponse:
        """Take the domain for verified on an operator's word."""
        domain, console = self.found(request, object_id), request.console
        if request.method == "POST" and (elsewhere := second_factor.demanded(request)):
            return elsewhere

        def carry_out(_: dict[str, Any]) -> str:
            domains.trust(domain, console.here, actor=console.actor)
            return "The domain counts as verified."

        explanation = "Its DNS will not be asked. Other environments cannot verify the same domain."
        return self._ask(request, domain, carry_out, "Vouch for domain", explanation)


def _catch_all(domain: Domain) -> Inbox | None:
    rows = Inbox.objects.in_environment(domain.environment)
    return rows.filter(pk=domain.catch_all_id).first() if domain.catch_all_id else None


def _chosen(domain: Domain) -> dict[str, Any]:
    return {"inbox": domain.catch_all_id}


@admin.register(SigningKey, site=site)
class SigningKeyAdmin(EnvironmentModelAdmin):
    """The DKIM keys of the environment's domains; their private halves are shown to nobody."""

    section = "Mail"
    icon = "key"
    rights = Kind.RECORD
    list_display = ("selector", "domain", "algorithm", "state", "activated_at", "retires_at", "id")
    list_filter = ("state", "algorithm")
    list_select_related = ("domain",)
    list_defer = ("sealed_private", "public")
    search_fields = ("selector",)
    ordering = ("-pk",)
    fields = ("domain", "selector", "algorithm", "state", "created_at", "activated_at", "retires_at", "id")
    readonly_fields = fields
