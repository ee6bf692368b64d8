import type { WebhookDelivery, WebhookDeliveryWithPayload } from "../models.js";
import type { List } from "../pages.js";
import type { Query } from "../routes.js";
import type { CallOptions } from "../settings.js";
import { Resource } from "./resource.js";

export class WebhookDeliveries extends Resource {
  list(query?: Query<"GET /webhook-deliveries">, options?: CallOptions): List<WebhookDelivery> {
    return this.api.list("GET /webhook-deliveries", [], { query }, options);
  }

  get(deliveryId: string, options?: CallOptions): Promise<WebhookDeliveryWithPayload> {
    return this.api.call("GET /webhook-deliveries/{id}", [deliveryId], {}, options);
  }

  /** Post a delivery again, now. */
  retry(deliveryId: string, options?: CallOptions): Promise<WebhookDelivery> {
    return this.api.call("POST /webhook-deliveries/{id}/retry", [deliveryId], {}, options);
  }
}
