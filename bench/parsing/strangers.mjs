// Two parsers of other origin, nodemailer's mailparser and postal-mime: one base64 message a line in, one JSON line out.
import { createHash } from "node:crypto";
import { createInterface } from "node:readline";
import { simpleParser } from "mailparser";
import PostalMime from "postal-mime";

const LONGEST = 10_000; // milliseconds for one message

const digest = (content) => createHash("sha256").update(content).digest("hex");

const flat = (boxes) => (boxes ?? []).flatMap((box) => (box.group?.length ? flat(box.group) : box.address ? [box.address] : []));

// Line breaks of textual attachments do not count: parsers change them.
const attachment = (name, type, content) => {
  const kind = (type ?? "").toLowerCase();
  const isText = kind.startsWith("text/") || kind.startsWith("message/");
  const counted = isText ? Buffer.from(Buffer.from(content).toString("latin1").replaceAll("\r\n", "\n").replace(/\n+$/, ""), "latin1") : content;
  return [name ?? "", kind, digest(counted)];
};

async function mailparser(raw) {
  const options = { skipHtmlToText: true, skipTextToHtml: true, skipImageLinks: true, skipTextLinks: true, keepCidLinks: true };
  const mail = await simpleParser(raw, options);
  const boxes = (field) => flat([field ?? []].flat().flatMap((header) => header.value));
  return {
    subject: mail.subject ?? "",
    from: boxes(mail.from),
    to: boxes(mail.to),
    cc: boxes(mail.cc),
    text: mail.text ?? "",
    html: mail.html || "",
    attachments: mail.attachments.map((each) => attachment(each.filename, each.contentType, each.content)),
  };
}

async function postalMime(raw) {
  const mail = await new PostalMime({ forceRfc822Attachments: true }).parse(raw);
  return {
    subject: mail.subject ?? "",
    from: flat(mail.from ? [mail.from] : []),
    to: flat(mail.to),
    cc: flat(mail.cc),
    text: mail.text ?? "",
    html: mail.html ?? "",
    attachments: mail.attachments.map((each) =>
      attachment(each.filename, each.mimeType, typeof each.content === "string" ? each.content : Buffer.from(each.content)),
    ),
  };
}

async function guarded(parser, raw) {
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error("too slow")), LONGEST);
  });
  try {
    return await Promise.race([parser(raw), late]);
  } catch (error) {
    return { error: String(error) };
  } finally {
    clearTimeout(timer);
  }
}

for await (const line of createInterface({ input: process.stdin })) {
  const raw = Buffer.from(line, "base64");
  const views = { mailparser: await guarded(mailparser, raw), "postal-mime": await guarded(postalMime, raw) };
  process.stdout.write(JSON.stringify(views) + "\n");
}
