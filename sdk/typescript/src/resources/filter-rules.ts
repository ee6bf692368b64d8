import type { FilterRule } from "../models.js";
import type { List } from "../pages.js";
import type { Body, Query } from "../routes.js";
import type { CallOptions } from "../settings.js";
import { Resource } from "./resource.js";

/** Whom mail may come from, and go to. */
export class FilterRules extends Resource {
  create(rule: Body<"POST /filter-rules">, options?: CallOptions): Promise<FilterRule> {
    return this.api.call("POST /filter-rules", [], { body: rule }, options);
  }

  list(query?: Query<"GET /filter-rules">, options?: CallOptions): List<FilterRule> {
    return this.api.list("GET /filter-rules", [], { query }, options);
  }

  get(ruleId: string, options?: CallOptions): Promise<FilterRule> {
    return this.api.call("GET /filter-rules/{id}", [ruleId], {}, options);
  }

  update(ruleId: string, changes: Body<"PATCH /filter-rules/{id}">, options?: CallOptions): Promise<FilterRule> {
    return this.api.call("PATCH /filter-rules/{id}", [ruleId], { body: changes }, options);
  }

  async delete(ruleId: string, options?: CallOptions): Promise<void> {
    await this.api.call("DELETE /filter-rules/{id}", [ruleId], {}, options);
  }
}
