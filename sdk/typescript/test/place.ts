// What the tests are given: a running AgentPost, an environment of their own, one next door, and keys to them.
import AgentPost from "@agentpost/sdk";

function given(name: string): string {
  const value = process.env[name];
  if (!value) throw new Error(`${name} is not set: run these by tests/clients/typescript.`);
  return value;
}

export const BASE_URL = given("AGENTPOST_BASE_URL");
export const API_KEY = given("AGENTPOST_API_KEY");
/** The environment that the key reaches, and nothing else. */
export const HERE = given("PLACE_ENVIRONMENT");
export const SLUG = given("PLACE_SLUG");
/** The environment next door, and a key for it alone. */
export const NEXT_DOOR = given("NEXT_DOOR_ENVIRONMENT");
export const NEXT_DOOR_KEY = given("NEXT_DOOR_KEY");
/** May do everything in the organization. */
export const OWNER_KEY = given("OWNER_KEY");

export const client = new AgentPost({ apiKey: API_KEY, baseUrl: BASE_URL });
export const nextDoor = new AgentPost({ apiKey: NEXT_DOOR_KEY, baseUrl: BASE_URL });
export const owner = new AgentPost({ apiKey: OWNER_KEY, baseUrl: BASE_URL, environment: HERE });
