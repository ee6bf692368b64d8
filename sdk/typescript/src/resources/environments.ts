import type { Deliverability, Environment, EnvironmentMember, Usage } from "../models.js";
import type { List } from "../pages.js";
import type { Body, Query } from "../routes.js";
import type { CallOptions } from "../settings.js";
import { Resource } from "./resource.js";

const MEMBERS = "/environments/{environment}/members";
const MEMBER = `${MEMBERS}/{member_id}` as const;

/** Environments, each named by its id or its slug. */
export class Environments extends Resource {
  /** Create an environment, whose mail is captured until a person says otherwise. With a `client_id`, once. */
  create(environment: Body<"POST /environments">, options?: CallOptions): Promise<Environment> {
    return this.api.call("POST /environments", [], { body: environment }, options);
  }

  list(query?: Query<"GET /environments">, options?: CallOptions): List<Environment> {
    return this.api.list("GET /environments", [], { query }, options);
  }

  get(environment: string, options?: CallOptions): Promise<Environment> {
    return this.api.call("GET /environments/{id}", [environment], {}, options);
  }

  update(environment: string, changes: Body<"PATCH /environments/{id}">, options?: CallOptions): Promise<Environment> {
    return this.api.call("PATCH /environments/{id}", [environment], { body: changes }, options);
  }

  /** Delete an environment; with `force`, everything in it too. */
  async delete(environment: string, query?: Query<"DELETE /environments/{id}">, options?: CallOptions): Promise<void> {
    await this.api.call("DELETE /environments/{id}", [environment], { query }, options);
  }

  /** Return how much came, left and was stored, from a moment to another. */
  usage(environment: string, query?: Query<"GET /usage">, options?: CallOptions): Promise<Usage> {
    return this.api.call("GET /usage", [], { query }, { ...options, environment });
  }

  /** Return how much of the mail of the last days arrived, bounced and was complained about. */
  deliverability(environment: string, options?: CallOptions): Promise<Deliverability> {
    return this.api.call("GET /deliverability", [], {}, { ...options, environment });
  }

  addMember(
    environment: string,
    member: Body<`POST ${typeof MEMBERS}`>,
    options?: CallOptions,
  ): Promise<EnvironmentMember> {
    return this.api.call(`POST ${MEMBERS}`, [environment], { body: member }, options);
  }

  listMembers(
    environment: string,
    query?: Query<`GET ${typeof MEMBERS}`>,
    options?: CallOptions,
  ): List<EnvironmentMember> {
    return this.api.list(`GET ${MEMBERS}`, [environment], { query }, options);
  }

  updateMember(
    environment: string,
    memberId: string,
    changes: Body<`PATCH ${typeof MEMBER}`>,
    options?: CallOptions,
  ): Promise<EnvironmentMember> {
    return this.api.call(`PATCH ${MEMBER}`, [environment, memberId], { body: changes }, options);
  }

  async removeMember(environment: string, memberId: string, options?: CallOptions): Promise<void> {
    await this.api.call(`DELETE ${MEMBER}`, [environment, memberId], {}, options);
  }
}
