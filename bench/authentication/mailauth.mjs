// Reads {zone, cases} as JSON from standard input and prints mailauth's results, one list, in the order of the cases.
// It runs in a folder in which `npm install mailauth` was run.
import { createRequire } from 'node:module';

const { authenticate } = createRequire(process.cwd() + '/')('mailauth');

let text = '';
for await (const piece of process.stdin) text += piece;
const { zone, cases } = JSON.parse(text);

const resolver = async (name, kind) => {
    const found = (zone[name.toLowerCase()] || {})[kind];
    if (!found) throw Object.assign(new Error(`no ${kind} of ${name}`), { code: 'ENOTFOUND' });
    return kind === 'TXT' ? found.map(value => [value]) : found;
};

const results = [];
for (const one of cases) {
    const found = await authenticate(Buffer.from(one.raw, 'base64'), {
        ip: one.peer, helo: one.helo, sender: one.envelope_sender, mta: 'mx.test', trustReceived: false, disableBimi: true, resolver
    });
    results.push({
        spf: found.spf ? found.spf.status.result : 'none',
        dkim: found.dkim.results.map(each => each.status.result),
        dmarc: found.dmarc ? found.dmarc.status.result : 'none',
        arc: found.arc ? found.arc.status.result : 'none'
    });
}
process.stdout.write(JSON.stringify(results));
