import { readFile } from "node:fs/promises";
import { basename } from "node:path";

import { ConfigurationError } from "./errors.js";
import { typeOf } from "./mime.js";
import type { Body } from "./routes.js";

type Bytes = Uint8Array | ArrayBuffer | Blob;

/** A file on this machine. A string alone is never a path, lest what a model wrote names one. */
export interface FilePath {
  path: string;
}

/** A file: where it is, or its bytes. */
export type FileSource = FilePath | Bytes;

type FileBody = NonNullable<Body<"POST /inboxes/{inbox_id}/messages">["attachments"]>[number];

type Described = Omit<FileBody, "content">;

/**
 * What a mail may have attached: a file (`path`), the `att_` id of what another message has, what was uploaded
 * (`key`), or bytes (`content`, with a `filename`; a string there is base64, as in the API).
 */
export type Attachable = string | FileBody | (Described & FilePath) | (Described & { content: Bytes });

/**
 * Return what is attached as the API takes it, files read. Throws ConfigurationError for a string that is no `att_` id,
 * and as `bytesOf` and `nameOf` do.
 */
export async function attached(file: Attachable): Promise<FileBody> {
  if (typeof file === "string") return { attachment_id: idIn(file) };
  return "path" in file ? withFile(file) : withContent(file);
}

function idIn(said: string): string {
  if (/^att_\w{26}$/.test(said)) return said;
  const ways = "a file is { path }, bytes are { filename, content }";
  throw new ConfigurationError(`${JSON.stringify(said)} in attachments is not an att_ id: ${ways}.`);
}

async function withFile(file: Described & FilePath): Promise<FileBody> {
  const { path, filename = basename(path), mime_type, content_type = mime_type, ...described } = file;
  const content = base64(await bytesOf({ path }));
  return { ...described, filename, content, content_type: content_type ?? typeOf(filename) };
}

async function withContent(file: FileBody | (Described & { content: Bytes })): Promise<FileBody> {
  const { content, ...described } = file;
  if (content === undefined || typeof content === "string") return file as FileBody;
  return { filename: described.filename ?? nameOf(content), ...described, content: base64(await bytesOf(content)) };
}

/** Return the bytes of a file. Throws ConfigurationError for one that cannot be read, and for a string. */
export async function bytesOf(file: FileSource): Promise<Uint8Array> {
  if (typeof file === "string") throw new ConfigurationError(`A file is { path }, unlike ${JSON.stringify(file)}.`);
  if ("path" in file) return new Uint8Array(await readFile(file.path).catch(unreadable));
  return new Uint8Array(file instanceof Blob ? await file.arrayBuffer() : file);
}

/** Return what a file is called. Throws ConfigurationError for bytes without a name. */
export function nameOf(file: FileSource): string {
  if ("path" in file) return basename(file.path);
  if (file instanceof Blob && "name" in file && file.name) return String(file.name);
  throw new ConfigurationError("Bytes have no name: pass { filename }.");
}

function unreadable(cause: Error): never {
  throw new ConfigurationError(`A file cannot be read: ${cause.message}.`, { cause });
}

function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("base64");
}
