import type { Domain } from "../models.js";
import type { List } from "../pages.js";
import type { Body, Query } from "../routes.js";
import type { CallOptions } from "../settings.js";
import { Resource } from "./resource.js";

export class Domains extends Resource {
  /** Claim a domain; `records` says what DNS has to hold. With a `client_id`, once. */
  create(domain: Body<"POST /domains">, options?: CallOptions): Promise<Domain> {
    return this.api.call("POST /domains", [], { body: domain }, options);
  }

  list(query?: Query<"GET /domains">, options?: CallOptions): List<Domain> {
    return this.api.list("GET /domains", [], { query }, options);
  }

  get(domainId: string, options?: CallOptions): Promise<Domain> {
    return this.api.call("GET /domains/{id}", [domainId], {}, options);
  }

  async delete(domainId: string, options?: CallOptions): Promise<void> {
    await this.api.call("DELETE /domains/{id}", [domainId], {}, options);
  }

  /** Look at DNS now. */
  verify(domainId: string, options?: CallOptions): Promise<Domain> {
    return this.api.call("POST /domains/{id}/verify", [domainId], {}, options);
  }

  /** Begin to sign with new keys, once DNS has them. */
  rotateKeys(domainId: string, options?: CallOptions): Promise<Domain> {
    return this.api.call("POST /domains/{id}/rotate-keys", [domainId], {}, options);
  }

  /** Return the records as a zone file. */
  async zoneFile(domainId: string, options?: CallOptions): Promise<string> {
    return new TextDecoder().decode(await this.api.bytes("GET /domains/{id}/zone-file", [domainId], options));
  }
}
