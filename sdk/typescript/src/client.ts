import { Api } from "./api.js";
import type { Me, SearchMatch } from "./models.js";
import type { List } from "./pages.js";
import { ApiKeys } from "./resources/api-keys.js";
import { Attachments } from "./resources/attachments.js";
import { Audit } from "./resources/audit.js";
import { Domains } from "./resources/domains.js";
import { Drafts } from "./resources/drafts.js";
import { Environments } from "./resources/environments.js";
import { Events } from "./resources/events.js";
import { FilterRules } from "./resources/filter-rules.js";
import { Inboxes } from "./resources/inboxes.js";
import { Intake } from "./resources/intake.js";
import { Labels } from "./resources/labels.js";
import { Messages } from "./resources/messages.js";
import { Org } from "./resources/org.js";
import { Realtime } from "./resources/realtime.js";
import { Suppressions } from "./resources/suppressions.js";
import { Threads } from "./resources/threads.js";
import { Tools } from "./resources/tools.js";
import { Transports } from "./resources/transport.js";
import { WebhookDeliveries } from "./resources/webhook-deliveries.js";
import { WebhookEndpoints } from "./resources/webhook-endpoints.js";
import type { Body, Query } from "./routes.js";
import { settle, type CallOptions, type ClientOptions } from "./settings.js";
import { verifyWebhook } from "./webhooks.js";

/** What to look for, and which page of it. */
export type SearchBody = Body<"POST /search"> & Query<"POST /search">;

/** A client of one AgentPost server, with one key. */
export class AgentPost {
  readonly environments: Environments;
  readonly inboxes: Inboxes;
  readonly messages: Messages;
  readonly threads: Threads;
  readonly drafts: Drafts;
  readonly labels: Labels;
  readonly attachments: Attachments;
  readonly domains: Domains;
  readonly filterRules: FilterRules;
  readonly suppressions: Suppressions;
  readonly intake: Intake;
  readonly transport: Transports;
  readonly webhookEndpoints: WebhookEndpoints;
  readonly webhookDeliveries: WebhookDeliveries;
  readonly events: Events;
  readonly realtime: Realtime;
  readonly apiKeys: ApiKeys;
  readonly org: Org;
  readonly audit: Audit;
  readonly tools: Tools;
  readonly webhooks = { verify: verifyWebhook };

  private readonly api: Api;

  /** Throws ConfigurationError without a key, and EnvironmentMismatchError if `expectEnvironment` meets a live one. */
  constructor(options: ClientOptions = {}) {
    const api = (this.api = new Api(settle(options)));
    this.environments = new Environments(api);
    this.inboxes = new Inboxes(api);
    this.messages = new Messages(api);
    this.threads = new Threads(api);
    this.drafts = new Drafts(api);
    this.labels = new Labels(api);
    this.attachments = new Attachments(api);
    this.domains = new Domains(api);
    this.filterRules = new FilterRules(api);
    this.suppressions = new Suppressions(api);
    this.intake = new Intake(api);
    this.transport = new Transports(api);
    this.webhookEndpoints = new WebhookEndpoints(api);
    this.webhookDeliveries = new WebhookDeliveries(api);
    this.events = new Events(api);
    this.realtime = new Realtime(api);
    this.apiKeys = new ApiKeys(api);
    this.org = new Org(api);
    this.audit = new Audit(api);
    this.tools = new Tools(api);
  }

  /** Search the environment's mail, or an inbox's: the best matches first, with what matched. */
  search({ cursor, limit, ...body }: SearchBody, options?: CallOptions): List<SearchMatch> {
    return this.api.list("POST /search", [], { query: { cursor, limit }, body }, options);
  }

  /** Return what the key is: its organization, environments, scopes and end. */
  me(options?: CallOptions): Promise<Me> {
    return this.api.call("GET /me", [], {}, options);
  }
}
