import type { AuditEntry } from "../models.js";
import type { List } from "../pages.js";
import type { Query } from "../routes.js";
import type { CallOptions } from "../settings.js";
import { Resource } from "./resource.js";

/** Who did what. */
export class Audit extends Resource {
  list(query?: Query<"GET /audit">, options?: CallOptions): List<AuditEntry> {
    return this.api.list("GET /audit", [], { query }, options);
  }

  get(entryId: string, options?: CallOptions): Promise<AuditEntry> {
    return this.api.call("GET /audit/{id}", [entryId], {}, options);
  }
}
