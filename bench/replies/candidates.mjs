// Reads a list of texts on standard input, writes what a library leaves of each.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { pathToFileURL } from "node:url";

const folder = process.argv[2];
const { main } = JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));
const texts = JSON.parse(readFileSync(0, "utf8"));

let reply;
if (folder.endsWith("planer")) {
  const planer = createRequire(join(folder, "/"))(folder);
  reply = (text) => planer.extractFrom(text, "text/plain");
} else {
  const { default: Parser } = await import(pathToFileURL(join(folder, main)).href);
  reply = (text) => new Parser().read(text).getVisibleText();
}

function attempt(text) {
  try {
    return reply(text) ?? "";
  } catch {
    return "";
  }
}

console.log(JSON.stringify(texts.map(attempt)));
