import type { Transport } from "../models.js";
import type { CallOptions } from "../settings.js";
import { Resource } from "./resource.js";

/** The server that mail leaves by; a person sets it. */
export class Transports extends Resource {
  get(options?: CallOptions): Promise<Transport> {
    return this.api.call("GET /transport", [], {}, options);
  }
}
