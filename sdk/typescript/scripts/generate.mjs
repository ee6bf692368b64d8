// Writes src/types.ts from ../openapi.json; with --check, fails if it differs.
import { readFile, writeFile } from "node:fs/promises";
import openapiTS, { astToString } from "openapi-typescript";

const SOURCE = new URL("../../openapi.json", import.meta.url);
const TARGET = new URL("../src/types.ts", import.meta.url);
const NESTED = /^\/api\/v1\/environments\/\{environment\}(?=\/)/;
const HEADING = "// Generated from sdk/openapi.json by `npm run generate`; not to be edited.\n\n";

/** Leave out what would only say again: collections nested under an environment, and refusals. */
function essence(document) {
  const paths = Object.entries(document.paths).filter(
    ([path]) => !(path.replace(NESTED, "/api/v1") in document.paths && NESTED.test(path)),
  );
  for (const operation of paths.flatMap(([, methods]) => Object.values(methods))) {
    operation.responses = Object.fromEntries(Object.entries(operation.responses).filter(([status]) => status < "300"));
  }
  return { ...document, paths: Object.fromEntries(paths) };
}

const document = essence(JSON.parse(await readFile(SOURCE, "utf8")));
const written = HEADING + astToString(await openapiTS(document, { defaultNonNullable: false }));
if (!process.argv.includes("--check")) {
  await writeFile(TARGET, written);
} else if (written !== (await readFile(TARGET, "utf8"))) {
  console.error("src/types.ts is not what sdk/openapi.json describes: run `npm run generate`.");
  process.exitCode = 1;
}
