// Nothing that the server can do is missing, and each route that is called is one that it has.
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { test } from "node:test";

import AgentPost, { VERSION } from "@agentpost/sdk";

const { SENDING } = (await import(new URL("../esm/retries.js", import.meta.url).href)) as { SENDING: Set<string> };
const require = createRequire(import.meta.url);
const ROOT = new URL("../../", import.meta.url);
const NESTED = /^\/environments\/\{environment\}(?=\/)/;

interface Operation {
  parameters?: { name: string }[];
}

const described = JSON.parse(readFileSync(new URL("../openapi.json", ROOT), "utf8")) as {
  paths: Record<string, Record<string, Operation>>;
};
const operations = new Map(
  Object.entries(described.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => [
      `${method.toUpperCase()} ${path.replace("/api/v1", "")}`,
      operation,
    ]),
  ),
);

/** What is no call of a client's, and why. */
const LEFT_OUT: Record<string, string> = {
  "GET /attachments/{id}/download": "is the signed address in download_url",
  "PUT /uploads/{id}": "is the signed address in upload_url",
  "GET /unsubscribe/{token}": "is a page for the recipients of mail",
  "POST /unsubscribe/{token}": "is a page for the recipients of mail",
  "POST /provider-webhooks/{token}": "is called by providers of transports",
  "PUT /transport": "refuses every key",
  "DELETE /transport": "refuses every key",
};

function called(): Set<string> {
  const source = new URL("src/", ROOT);
  const files = readdirSync(source, { recursive: true, encoding: "utf8" }).filter(
    (name) => name.endsWith(".ts") && name !== "types.ts",
  );
  const text = files
    .map((name) => readFileSync(new URL(name, source), "utf8"))
    .join("\n")
    .replaceAll("${MEMBERS}", "/environments/{environment}/members")
    .replaceAll("${MEMBER}", "/environments/{environment}/members/{member_id}");
  return new Set(
    [...text.matchAll(/["`]((?:GET|POST|PUT|PATCH|DELETE) \/[^"`]*)["`]/g)].map((found) => found[1] ?? ""),
  );
}

test("every operation of the server can be called", () => {
  const found = called();
  const missing = [...operations.keys()].filter((route) => {
    const [method, path = ""] = route.split(" ");
    const flat = `${method} ${path.replace(NESTED, "")}`;
    return !found.has(route) && !(NESTED.test(path) && operations.has(flat)) && !(route in LEFT_OUT);
  });
  assert.deepEqual(missing, []);
});

test("what is left out is there to be left out", () => {
  assert.deepEqual(
    Object.keys(LEFT_OUT).filter((route) => !operations.has(route) || called().has(route)),
    [],
  );
});

test("the calls that get an idempotency key are those that take one", () => {
  const taking = [...operations]
    .filter(
      ([route, { parameters = [] }]) =>
        !NESTED.test(route.split(" ")[1] ?? "") && parameters.some(({ name }) => name === "Idempotency-Key"),
    )
    .map(([route]) => route);
  assert.deepEqual([...SENDING].sort(), taking.sort());
});

test("the version that it tells is that of the package", () => {
  assert.equal(VERSION, (require("@agentpost/sdk/package.json") as { version: string }).version);
});

test("require finds the same surface as import", () => {
  const required = require("@agentpost/sdk") as { AgentPost: typeof AgentPost; default: unknown };
  assert.equal(required.default, required.AgentPost);
  const [one, other] = [new required.AgentPost({ apiKey: "ap_sk_dev_x" }), new AgentPost({ apiKey: "ap_sk_dev_x" })];
  assert.deepEqual(Object.keys(one), Object.keys(other));
});
