import type { Invitation, Member, Organization } from "../models.js";
import type { List } from "../pages.js";
import type { Body, Query } from "../routes.js";
import type { CallOptions } from "../settings.js";
import { Resource } from "./resource.js";

/** The organization of the key, its members and who was invited. */
export class Org extends Resource {
  get(options?: CallOptions): Promise<Organization> {
    return this.api.call("GET /org", [], {}, options);
  }

  update(changes: Body<"PATCH /org">, options?: CallOptions): Promise<Organization> {
    return this.api.call("PATCH /org", [], { body: changes }, options);
  }

  invite(invitation: Body<"POST /org/invitations">, options?: CallOptions): Promise<Invitation> {
    return this.api.call("POST /org/invitations", [], { body: invitation }, options);
  }

  listInvitations(query?: Query<"GET /org/invitations">, options?: CallOptions): List<Invitation> {
    return this.api.list("GET /org/invitations", [], { query }, options);
  }

  getInvitation(invitationId: string, options?: CallOptions): Promise<Invitation> {
    return this.api.call("GET /org/invitations/{id}", [invitationId], {}, options);
  }

  async revokeInvitation(invitationId: string, options?: CallOptions): Promise<void> {
    await this.api.call("DELETE /org/invitations/{id}", [invitationId], {}, options);
  }

  listMembers(query?: Query<"GET /org/members">, options?: CallOptions): List<Member> {
    return this.api.list("GET /org/members", [], { query }, options);
  }

  getMember(memberId: string, options?: CallOptions): Promise<Member> {
    return this.api.call("GET /org/members/{id}", [memberId], {}, options);
  }

  updateMember(memberId: string, changes: Body<"PATCH /org/members/{id}">, options?: CallOptions): Promise<Member> {
    return this.api.call("PATCH /org/members/{id}", [memberId], { body: changes }, options);
  }

  async removeMember(memberId: string, options?: CallOptions): Promise<void> {
    await this.api.call("DELETE /org/members/{id}", [memberId], {}, options);
  }
}
