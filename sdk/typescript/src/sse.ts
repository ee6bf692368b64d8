import { UnexpectedAnswerError } from "./errors.js";

/** One of a stream of server-sent events; a heartbeat has an id alone. */
export interface ServerSent {
  id: string | null;
  event: string | null;
  data: string | null;
}

const END = /\r?\n\r?\n/;
const LONGEST_END = 4; // characters
const LONGEST = 16 * 1024 * 1024; // characters of one event

/**
 * Read server-sent events out of a body, as the HTML standard has them. A last one that is not whole is dropped.
 * Throws UnexpectedAnswerError for one without an end.
 */
export async function* serverSent(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<ServerSent> {
  const decoder = new TextDecoder();
  let held: string[] = []; // pieces of one event, joined once: a join for each would be quadratic
  let length = 0;
  for await (const chunk of chunks) {
    const text = decoder.decode(chunk, { stream: true });
    if (!text) continue;
    const seam = held.slice(-LONGEST_END).join("").slice(-LONGEST_END);
    held.push(text);
    length += text.length;
    if (length > LONGEST) throw new UnexpectedAnswerError("The stream has an event without an end.");
    if (!END.test(seam + text)) continue;
    const blocks = held.join("").split(END);
    held = [blocks.pop() ?? ""];
    length = held[0]?.length ?? 0;
    yield* blocks.map(parsed);
  }
}

function parsed(block: string): ServerSent {
  const lines = block.split(/\r?\n/).map((line) => /^([a-z]+): ?(.*)$/s.exec(line));
  const valuesOf = (name: string) => lines.filter((line) => line?.[1] === name).map((line) => line?.[2] ?? "");
  const data = valuesOf("data");
  return {
    id: valuesOf("id").at(-1) ?? null,
    event: valuesOf("event").at(-1) ?? null,
    data: data.length ? data.join("\n") : null,
  };
}
