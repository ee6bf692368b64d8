import type { ApiKey } from "../models.js";
import type { List } from "../pages.js";
import type { Body, Query } from "../routes.js";
import type { CallOptions } from "../settings.js";
import { Resource } from "./resource.js";

export class ApiKeys extends Resource {
  /** Create a key, no stronger than the client's own; `key` holds it, this once. */
  create(key: Body<"POST /api-keys">, options?: CallOptions): Promise<ApiKey> {
    return this.api.call("POST /api-keys", [], { body: key }, options);
  }

  list(query?: Query<"GET /api-keys">, options?: CallOptions): List<ApiKey> {
    return this.api.list("GET /api-keys", [], { query }, options);
  }

  get(keyId: string, options?: CallOptions): Promise<ApiKey> {
    return this.api.call("GET /api-keys/{id}", [keyId], {}, options);
  }

  /** Give a key a new secret, in `key`, this once; the old one stays valid for the overlap. */
  rotate(keyId: string, terms: Body<"POST /api-keys/{id}/rotate"> = {}, options?: CallOptions): Promise<ApiKey> {
    return this.api.call("POST /api-keys/{id}/rotate", [keyId], { body: terms }, options);
  }

  /** Revoke a key, at once and for ever. */
  async delete(keyId: string, options?: CallOptions): Promise<void> {
    await this.api.call("DELETE /api-keys/{id}", [keyId], {}, options);
  }
}
