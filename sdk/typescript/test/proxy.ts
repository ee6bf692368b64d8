// A server in front of the real one that misbehaves as it is told, and remembers what it was asked.
import { createServer, request, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

/** What becomes of a request: nothing in between, or this status at once, or its answer thrown away, or no answer. */
export type Fate =
  "pass" | "lose the answer" | "hang" | { status: number; headers?: Record<string, string>; body?: string };

export interface Asked {
  method: string;
  url: string;
  headers: IncomingMessage["headers"];
}

export class Proxy {
  readonly asked: Asked[] = [];
  /** What becomes of the next requests, in order; then they pass. */
  fates: Fate[] = [];
  private readonly server = createServer((incoming, answer) => void this.meet(incoming, answer));

  constructor(private readonly target: string) {}

  async start(): Promise<string> {
    await new Promise<void>((started) => this.server.listen(0, "127.0.0.1", started));
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  stop(): void {
    this.server.close();
    this.server.closeAllConnections();
  }

  /** Cut every connection that is open now. */
  cut(): void {
    this.server.closeAllConnections();
  }

  private async meet(incoming: IncomingMessage, answer: ServerResponse): Promise<void> {
    const { method = "", url = "", headers } = incoming;
    this.asked.push({ method, url, headers });
    const fate = this.fates.shift() ?? "pass";
    if (fate === "hang") return;
    if (typeof fate === "object") {
      answer.writeHead(fate.status, fate.headers).end(fate.body ?? "");
      return;
    }
    const onward = request(this.target + url, { method, headers }, (came) => {
      if (fate === "lose the answer") {
        came.resume().on("end", () => incoming.socket.destroy());
        return;
      }
      answer.writeHead(came.statusCode ?? 500, came.headers);
      answer.flushHeaders();
      came.pipe(answer);
    });
    onward.on("error", () => incoming.socket.destroy());
    answer.on("close", () => onward.destroy());
    incoming.pipe(onward);
  }
}
