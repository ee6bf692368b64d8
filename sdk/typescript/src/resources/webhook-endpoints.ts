import type { Replay, WebhookDelivery, WebhookEndpoint } from "../models.js";
import type { List } from "../pages.js";
import type { Body, Query } from "../routes.js";
import type { CallOptions } from "../settings.js";
import { Resource } from "./resource.js";

export class WebhookEndpoints extends Resource {
  /** Create an endpoint; `secret` holds what its POSTs are signed with, this once. With a `client_id`, once. */
  create(endpoint: Body<"POST /webhook-endpoints">, options?: CallOptions): Promise<WebhookEndpoint> {
    return this.api.call("POST /webhook-endpoints", [], { body: endpoint }, options);
  }

  list(query?: Query<"GET /webhook-endpoints">, options?: CallOptions): List<WebhookEndpoint> {
    return this.api.list("GET /webhook-endpoints", [], { query }, options);
  }

  get(endpointId: string, options?: CallOptions): Promise<WebhookEndpoint> {
    return this.api.call("GET /webhook-endpoints/{id}", [endpointId], {}, options);
  }

  update(
    endpointId: string,
    changes: Body<"PATCH /webhook-endpoints/{id}">,
    options?: CallOptions,
  ): Promise<WebhookEndpoint> {
    return this.api.call("PATCH /webhook-endpoints/{id}", [endpointId], { body: changes }, options);
  }

  async delete(endpointId: string, options?: CallOptions): Promise<void> {
    await this.api.call("DELETE /webhook-endpoints/{id}", [endpointId], {}, options);
  }

  /** Return the endpoint with a new `secret`, this once; the old one signs too, for a day. */
  rotateSecret(endpointId: string, options?: CallOptions): Promise<WebhookEndpoint> {
    return this.api.call("POST /webhook-endpoints/{id}/rotate-secret", [endpointId], {}, options);
  }

  enable(endpointId: string, options?: CallOptions): Promise<WebhookEndpoint> {
    return this.api.call("POST /webhook-endpoints/{id}/enable", [endpointId], {}, options);
  }

  /** Post a sample to the endpoint alone. */
  test(
    endpointId: string,
    sample: Body<"POST /webhook-endpoints/{id}/test"> = {},
    options?: CallOptions,
  ): Promise<WebhookDelivery> {
    return this.api.call("POST /webhook-endpoints/{id}/test", [endpointId], { body: sample }, options);
  }

  /** Post a stretch of the event log again, up to 1,000 events; go on from `next_since` while `has_more`. */
  replay(
    endpointId: string,
    stretch: Body<"POST /webhook-endpoints/{id}/replay">,
    options?: CallOptions,
  ): Promise<Replay> {
    return this.api.call("POST /webhook-endpoints/{id}/replay", [endpointId], { body: stretch }, options);
  }

  /** List what was posted to the endpoint, and what came back. */
  deliveries(
    endpointId: string,
    query?: Query<"GET /webhook-endpoints/{id}/deliveries">,
    options?: CallOptions,
  ): List<WebhookDelivery> {
    return this.api.list("GET /webhook-endpoints/{id}/deliveries", [endpointId], { query }, options);
  }
}
