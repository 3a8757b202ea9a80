// A pooled nodemailer sending personalised newsletters: node send.mjs PORT CONNECTIONS MESSAGES LETTER_FILE [DKIM_KEY_FILE]
// Prints messages a second and microseconds of processor time a message as JSON. It has no database, signs no links and
// keeps no journal; its mail has the size and the parts of ours.
import { readFileSync } from "node:fs";
import process from "node:process";
import nodemailer from "nodemailer";

const [port, connections, messages] = process.argv.slice(2, 5).map(Number);
const [letter, key] = process.argv.slice(5);
const html = readFileSync(letter, "utf8");
const transport = nodemailer.createTransport({
  host: "127.0.0.1",
  port,
  pool: true,
  maxConnections: connections,
  maxMessages: Infinity,
  ignoreTLS: true,
  ...(key && { dkim: { domainName: "news.example", keySelector: "bench", privateKey: readFileSync(key, "utf8") } }),
});

const names = ["Ada", "Grace", "Edsger", "Barbara", "Alan", "Donald"];
const fill = (text, values) => text.replace(/\{\{ (\w+) \}\}/g, (_, name) => values[name]);

let next = 0;
async function work() {
  while (next < messages) {
    const number = next++;
    const values = {
      first_name: names[number % names.length], last_name: `Reader${number}`, company: "Example Ltd",
      phone: `+49301234${number}`, language: "en", email: `reader${number}@people.example`,
    };
    const body = fill(html, values);
    await transport.sendMail({
      from: "Desk <desk@news.example>", to: values.email, subject: `${values.first_name}, the autumn letter`,
      html: body, text: body.replace(/<[^>]+>/g, ""),
      headers: { "List-Unsubscribe": `<https://news.example/u/${number}>`, "List-Unsubscribe-Post": "List-Unsubscribe=One-Click" },
    });
  }
}

const started = process.hrtime.bigint();
const before = process.cpuUsage();
await Promise.all(Array.from({ length: connections * 2 }, work));
const seconds = Number(process.hrtime.bigint() - started) / 1e9;
const used = process.cpuUsage(before);
transport.close();
console.log(JSON.stringify({ rate: messages / seconds, cpu_us: (used.user + used.system) / messages, rss_kb: process.resourceUsage().maxRSS }));
process.exit(0);
