import type { IntakeEntry } from "../models.js";
import type { List } from "../pages.js";
import type { Query } from "../routes.js";
import type { CallOptions } from "../settings.js";
import { Resource } from "./resource.js";

/** Every attempt to bring mail in, and what became of it. */
export class Intake extends Resource {
  list(query?: Query<"GET /intake">, options?: CallOptions): List<IntakeEntry> {
    return this.api.list("GET /intake", [], { query }, options);
  }

  get(entryId: string, options?: CallOptions): Promise<IntakeEntry> {
    return this.api.call("GET /intake/{id}", [entryId], {}, options);
  }
}
