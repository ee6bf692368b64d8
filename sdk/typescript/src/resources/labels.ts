import type { LabelCount } from "../models.js";
import type { List } from "../pages.js";
import type { Query } from "../routes.js";
import type { CallOptions } from "../settings.js";
import { Resource } from "./resource.js";

export class Labels extends Resource {
  /** List the labels in use, and on how many messages and threads each is. */
  list(query?: Query<"GET /labels">, options?: CallOptions): List<LabelCount> {
    return this.api.list("GET /labels", [], { query }, options);
  }
}
