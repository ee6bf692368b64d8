import { UnexpectedAnswerError } from "../errors.js";
import { bytesOf, nameOf, type FileSource } from "../files.js";
import { typeOf } from "../mime.js";
import type { Attachment, UploadUrl } from "../models.js";
import type { Body } from "../routes.js";
import type { CallOptions } from "../settings.js";
import { Resource } from "./resource.js";

/** What was uploaded; it may stand in `attachments` of a mail as it is. */
export interface Upload {
  key: string;
  filename: string;
  mime_type: string;
}

export class Attachments extends Resource {
  /** Return where to `PUT` so many bytes, and the key by which a mail then names them. */
  getUploadUrl(file: Body<"POST /attachments/upload-url">, options?: CallOptions): Promise<UploadUrl> {
    return this.api.call("POST /attachments/upload-url", [], { body: file }, options);
  }

  /**
   * Upload a file, `{ path }` or its bytes, which need a `filename`; its name speaks for its type, unless given.
   * Throws ConfigurationError for a file that cannot be read, and for bytes without a name.
   */
  async upload(
    file: FileSource,
    named: { filename?: string; mime_type?: string } = {},
    options: CallOptions = {},
  ): Promise<Upload> {
    const bytes = await bytesOf(file);
    const filename = named.filename ?? nameOf(file);
    const mime_type = named.mime_type ?? typeOf(filename);
    const { upload_url, key } = await this.getUploadUrl({ filename, mime_type, size: bytes.length }, options);
    const headers = { "Content-Type": mime_type };
    await this.api.transferred({ method: "PUT", url: upload_url, headers, body: bytes }, options);
    return { key, filename, mime_type };
  }

  /** Return an attachment, with a `download_url` that is good for minutes. */
  get(attachmentId: string, options?: CallOptions): Promise<Attachment> {
    return this.api.call("GET /attachments/{id}", [attachmentId], {}, options);
  }

  /** Return the bytes of an attachment. Throws UnexpectedAnswerError if the server does not say where they are. */
  async download(attachmentId: string, options: CallOptions = {}): Promise<Uint8Array> {
    const { download_url } = await this.get(attachmentId, options);
    if (!download_url) throw new UnexpectedAnswerError("The attachment has no download_url.");
    return this.api.transferred({ method: "GET", url: download_url }, options);
  }
}
