// Sends one mail with everything through each submission port, pooled and not: node submit.mjs, with its orders as JSON
// on standard input. Prints what the server answered as JSON.
import { readFileSync } from "node:fs";
import process from "node:process";
import nodemailer from "nodemailer";

const { port, tlsPort, key, certificate } = JSON.parse(readFileSync(0, "utf8"));
const octets = (count, step) => Buffer.from(Array.from({ length: count }, (_, at) => (at * step) % 256));

const mail = (subject) => ({
  from: { name: "Zoë at the Desk", address: "desk@shop.example" },
  to: ['"Lee, Ann" <ann@people.example>', { name: "Bob", address: "bob@people.example" }],
  cc: "Çağla <cagla@people.example>",
  bcc: ["hidden@people.example"],
  replyTo: "Help <help@shop.example>",
  subject,
  headers: { "X-Order": "4711", "X-Ünfit": "left out" },
  inReplyTo: "<1@shop.example>",
  references: ["<0@shop.example>", "<1@shop.example>"],
  text: "Guten Tag 你好\n.ein Punkt am Anfang\n..zwei\nfrom the start\n" + "sehr lang ".repeat(200) + "\n",
  html: '<p>Guten Tag 你好 <img src="cid:logo@shop.example" alt=""></p>',
  attachments: [
    { filename: "Übersicht 2026.pdf", content: octets(100_000, 7), contentType: "application/pdf" },
    { filename: "logo.png", content: octets(5_000, 13), cid: "logo@shop.example" },
    { filename: "dots.txt", content: "a\r\n.\r\n..\r\nb\r\n" },
    { filename: "empty.bin", content: Buffer.alloc(0) },
  ],
  icalEvent: { method: "REQUEST", content: "BEGIN:VCALENDAR\r\nEND:VCALENDAR\r\n" },
});

const send = async (options, subject) => {
  const transport = nodemailer.createTransport({ host: "localhost", auth: { user: "usesend", pass: key }, ...options });
  try {
    const { accepted, rejected, response } = await transport.sendMail(mail(subject));
    return { subject, accepted, rejected, response };
  } finally {
    transport.close();
  }
};
const refused = async (options) => {
  try {
    await send(options, "refused");
    return "accepted";
  } catch (error) {
    return { code: error.code, status: error.responseCode };
  }
};

const tls = { ca: readFileSync(certificate) };
const starttls = { port, secure: false, requireTLS: true, tls };
const implicit = { port: tlsPort, secure: true, tls };
process.stdout.write(
  JSON.stringify({
    sent: [
      await send(starttls, "Grüße über STARTTLS – 你好"),
      await send(implicit, "Grüße über TLS – 你好"),
      await send({ ...implicit, pool: true, authMethod: "LOGIN" }, "Grüße aus dem Vorrat – 你好"),
    ],
    wrongKey: await refused({ ...implicit, auth: { user: "usesend", pass: "us_0000000000_" + "0".repeat(32) } }),
    untrusted: await refused({ ...implicit, tls: {} }),
    inTheClear: await refused({ ...starttls, requireTLS: false, ignoreTLS: true }),
  }),
);
