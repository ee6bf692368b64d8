"use strict";
// A queue plugin: each mail into the maildir of its first recipient, synced before it is answered.
const fs = require("node:fs");
const path = require("node:path");
const made = new Set();

exports.hook_queue = function (next, connection) {
  const transaction = connection.transaction;
  const recipient = transaction.rcpt_to[0];
  const maildir = path.join(process.env.MAILDIRS, `${recipient.user}@${recipient.host}`);
  if (!made.has(maildir)) {
    for (const part of ["tmp", "new"]) fs.mkdirSync(path.join(maildir, part), { recursive: true });
    made.add(maildir);
  }
  const partial = path.join(maildir, "tmp", transaction.uuid);
  const file = fs.createWriteStream(partial, { flags: "wx", flush: true });
  file.on("error", () => next(DENYSOFT));
  file.on("close", () => {
    fs.rename(partial, path.join(maildir, "new", transaction.uuid), (error) => next(error ? DENYSOFT : OK));
  });
  transaction.message_stream.pipe(file);
};
