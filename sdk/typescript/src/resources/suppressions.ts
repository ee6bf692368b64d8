import type { Suppression } from "../models.js";
import type { List } from "../pages.js";
import type { Body, Query } from "../routes.js";
import type { CallOptions } from "../settings.js";
import { Resource } from "./resource.js";

/** Who gets no mail. */
export class Suppressions extends Resource {
  create(suppression: Body<"POST /suppressions">, options?: CallOptions): Promise<Suppression> {
    return this.api.call("POST /suppressions", [], { body: suppression }, options);
  }

  list(query?: Query<"GET /suppressions">, options?: CallOptions): List<Suppression> {
    return this.api.list("GET /suppressions", [], { query }, options);
  }

  get(suppressionId: string, options?: CallOptions): Promise<Suppression> {
    return this.api.call("GET /suppressions/{id}", [suppressionId], {}, options);
  }

  async delete(suppressionId: string, options?: CallOptions): Promise<void> {
    await this.api.call("DELETE /suppressions/{id}", [suppressionId], {}, options);
  }
}
