import { attached, type Attachable } from "./files.js";
import type { Body } from "./routes.js";

type Input = Body<"POST /inboxes/{inbox_id}/messages">;

/** An address, alone or with a name. */
export type Recipient = NonNullable<Input["to"]>[number];

const RECIPIENTS = ["to", "cc", "bcc", "reply_to"] as const;

interface Written {
  to?: Recipient | Recipient[];
  cc?: Recipient | Recipient[];
  bcc?: Recipient | Recipient[];
  reply_to?: Recipient | Recipient[];
  attachments?: Attachable[];
}

/** A mail as it is written here: a single recipient needs no list, and files are read. */
export type Writing<B> = Omit<B, keyof Written> & Pick<Written, keyof Written & keyof B>;

/** Return a mail as the API takes it. */
export async function mailed<T extends Written>(mail: T): Promise<Omit<T, keyof Written> & Pick<Input, keyof Written>> {
  const lists = RECIPIENTS.flatMap((field) => (mail[field] === undefined ? [] : [[field, [mail[field]].flat()]]));
  const files = mail.attachments && { attachments: await Promise.all(mail.attachments.map(attached)) };
  return { ...mail, ...(Object.fromEntries(lists) as Pick<Input, (typeof RECIPIENTS)[number]>), ...files } as never;
}
