"use strict";
// Each mail into the maildir of its first recipient, synced before it is answered.
const fs = require("node:fs");
const path = require("node:path");
const { SMTPServer } = require(process.env.PACKAGE);
const made = new Set();
let number = 0;

function onData(stream, session, answer) {
  const maildir = path.join(process.env.MAILDIRS, session.envelope.rcptTo[0].address);
  if (!made.has(maildir)) {
    for (const part of ["tmp", "new"]) fs.mkdirSync(path.join(maildir, part), { recursive: true });
    made.add(maildir);
  }
  const name = `${process.pid}.${number++}`;
  const partial = path.join(maildir, "tmp", name);
  const file = fs.createWriteStream(partial, { flags: "wx", flush: true });
  file.on("error", answer);
  file.on("close", () => fs.rename(partial, path.join(maildir, "new", name), answer));
  stream.pipe(file);
}

new SMTPServer({
  authOptional: true,
  disabledCommands: ["STARTTLS", "AUTH"],
  disableReverseLookup: true,
  logger: false,
  onData,
}).listen(Number(process.env.PORT), "127.0.0.1");
