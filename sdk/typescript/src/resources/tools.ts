import { ToolError, UnexpectedAnswerError } from "../errors.js";
import { MCP } from "../retries.js";
import type { CallOptions } from "../settings.js";
import { Resource } from "./resource.js";

/** A tool for agents, as the Model Context Protocol has it. */
export interface Tool {
  name: string;
  title?: string;
  description?: string;
  inputSchema: { type: "object"; [keyword: string]: unknown };
  annotations?: { readOnlyHint?: boolean; destructiveHint?: boolean; [hint: string]: unknown };
}

/** What a tool answers: text for a model to read. `isError` says that it refused. */
export interface ToolResult {
  content: { type: string; text?: string; [field: string]: unknown }[];
  structuredContent?: Record<string, unknown>;
  isError?: boolean;
}

/** Milliseconds that a tool which waits for mail may wait, beside the time-out of a call. */
const LONGEST_WAIT = 120_000;

interface RpcAnswer {
  result?: Record<string, unknown> | null;
  error?: { code: number; message: string } | null;
}

/** The server's tools for agents, as at `/mcp`: those that the key's scopes allow. */
export class Tools extends Resource {
  async list(options?: CallOptions): Promise<Tool[]> {
    const tools: Tool[] = [];
    let cursor: string | undefined;
    do {
      const answer = await this.asked("tools/list", { cursor }, "tools", options);
      const page = answer as { tools: Tool[]; nextCursor?: string };
      tools.push(...page.tools);
      cursor = page.nextCursor;
    } while (cursor);
    return tools;
  }

  /** Call a tool. Throws ToolError if there is none of that name. */
  async call(name: string, args: Record<string, unknown> = {}, options: CallOptions = {}): Promise<ToolResult> {
    const timeout = options.timeout ?? this.api.settings.timeout + LONGEST_WAIT;
    const called = { name, arguments: args };
    return (await this.asked("tools/call", called, "content", { ...options, timeout })) as unknown as ToolResult;
  }

  /** Return a result that holds this list. Throws UnexpectedAnswerError for what is none. */
  private async asked(
    method: string,
    params: object,
    list: string,
    options: CallOptions = {},
  ): Promise<Record<string, unknown>> {
    const body = { jsonrpc: "2.0", id: 1, method, params };
    const headers = { Accept: "application/json, text/event-stream", ...options.headers };
    const answer = (await this.api.json(MCP, [], { body }, { ...options, headers })) as RpcAnswer | null | undefined;
    const { result, error } = answer ?? {};
    if (typeof error?.message === "string") throw new ToolError(error.message, error.code);
    if (result && Array.isArray(result[list])) return result;
    throw new UnexpectedAnswerError(`The answer to ${method} has no ${list}: is this AgentPost's /mcp?`);
  }
}
