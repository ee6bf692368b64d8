import { dynamicTool, jsonSchema, type ToolSet } from "ai";

import type { AgentPost } from "./client.js";
import type { Tool } from "./resources/tools.js";

/** Return the server's tools for the Vercel AI SDK: those that the key's scopes allow, as they are now. */
export async function agentpostTools(client: AgentPost): Promise<ToolSet> {
  const tools = await client.tools.list();
  return Object.fromEntries(tools.map((tool) => [tool.name, made(client, tool)]));
}

function made(client: AgentPost, { name, description, inputSchema }: Tool): ToolSet[string] {
  return dynamicTool({
    description,
    inputSchema: jsonSchema(inputSchema),
    execute: (input, { abortSignal }) => answered(client, name, input as Record<string, unknown>, abortSignal),
  });
}

/** Return what a tool said, as text for the model. Throws Error for a refusal, which the model is told of. */
async function answered(
  client: AgentPost,
  name: string,
  input: Record<string, unknown>,
  signal?: AbortSignal,
): Promise<string> {
  const { content, isError } = await client.tools.call(name, input, { signal });
  const text = content.map((part) => part.text ?? "").join("\n");
  if (isError) throw new Error(text);
  return text;
}
