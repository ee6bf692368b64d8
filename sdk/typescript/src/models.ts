import type { components } from "./types.js";

type Schemas = components["schemas"];

export type Address = Schemas["AddressOutput"];
export type ApiKey = Schemas["KeyOutput"];
export type Arrival = Schemas["ArrivalOutput"];
export type Attachment = Schemas["AttachmentOutput"];
export type Attempt = Schemas["AttemptOutput"];
export type AuditEntry = Schemas["AuditOutput"];
export type Batch = Schemas["BatchOutput"];
export type BatchResult = Schemas["BatchResultOutput"];
export type BatchSend = Schemas["BatchSendOutput"];
export type Deliverability = Schemas["DeliverabilityOutput"];
export type Domain = Schemas["DomainOutput"];
export type DomainRecord = Schemas["RecordOutput"];
export type Draft = Schemas["DraftOutput"];
export type DraftVersion = Schemas["VersionOutput"];
export type Environment = Schemas["EnvironmentOutput"];
export type EnvironmentMember = Schemas["EnvironmentMemberOutput"];
export type FilterRule = Schemas["FilterRuleOutput"];
export type Inbox = Schemas["InboxOutput"];
export type IntakeEntry = Schemas["IntakeOutput"];
export type Invitation = Schemas["InvitationOutput"];
export type LabelCount = Schemas["LabelCount"];
export type Link = Schemas["LinkOutput"];
export type Me = Schemas["MeOutput"];
export type MeEnvironment = Schemas["MeEnvironment"];
export type Member = Schemas["MemberOutput"];
export type Message = Schemas["MessageOutput"];
export type Organization = Schemas["OrganizationOutput"];
export type Plan = Schemas["PlanOutput"];
export type Replay = Schemas["ReplayOutput"];
export type SearchMatch = Schemas["MatchOutput"];
export type Suppression = Schemas["SuppressionOutput"];
export type Thread = Schemas["ThreadOutput"];
export type ThreadWithMessages = Schemas["ThreadWithMessagesOutput"];
export type Ticket = Schemas["TicketOutput"];
export type Timeline = Schemas["TimelineOutput"];
export type TimelineStep = Schemas["StepOutput"];
export type Transport = Schemas["TransportOutput"];
export type UploadUrl = Schemas["UploadUrlOutput"];
export type Usage = Schemas["UsageOutput"];
export type UsageRow = Schemas["UsageRow"];
export type WebhookDelivery = Schemas["DeliveryOutput"];
export type WebhookDeliveryWithPayload = Schemas["WholeDeliveryOutput"];
export type WebhookEndpoint = Schemas["EndpointOutput"];

export type EventType = Schemas["EventOutput"]["type"];

/** An event of the log, as it also comes by webhook and in real time. What `data` holds depends on `type`. */
export interface Event extends Omit<Schemas["EventOutput"], "data"> {
  data: Record<string, any>;
}
