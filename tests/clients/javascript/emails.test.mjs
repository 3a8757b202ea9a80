// E-mail by the client: sent, in batches, once by key, looked up, moved, cancelled.

import assert from "node:assert/strict";
import { test } from "node:test";
import { createElement } from "react";
import { FACTS, good, makeClient, refused, until } from "./client.mjs";

const client = makeClient();
const LETTER = { to: "ann@example.com", from: "Shop <shop@acme.example>", subject: "Your order", html: "<p>Thanks!</p>" };
const later = (hours) => new Date(Date.now() + hours * 3_600_000).toISOString();
const statuses = async (id) => (await good(client.emails.get(id))).emailEvents.map((event) => event.status);
const send = async (changes) => (await good(client.emails.send({ ...LETTER, ...changes }))).emailId;

test("a letter is sent and delivered", async () => {
  const id = await send({
    to: ["Ann <ann@example.com>", "bob@example.com"],
    cc: "carol@example.com",
    bcc: ["dan@example.com"],
    replyTo: "help@acme.example",
    text: "Thanks!",
    headers: { "X-Order": "17" },
    attachments: [{ filename: "bill.pdf", content: Buffer.from("%PDF-1.7 bill").toString("base64") }],
  });
  await until(async () => (await statuses(id)).includes("DELIVERED"));
  const email = await good(client.emails.get(id));
  assert.equal(email.id, id);
  assert.equal(email.teamId, FACTS.team);
  assert.equal(email.subject, "Your order");
  assert.equal(email.text, "Thanks!");
  assert.match(email.html, /Thanks!/);
});

test("a React component is sent as the page it renders to", async () => {
  const react = createElement("p", null, "Hello ", createElement("b", null, "React"));
  const { emailId } = await good(client.emails.create({ to: "ann@example.com", from: "shop@acme.example", subject: "Hi", react }));
  assert.match((await good(client.emails.get(emailId))).html, /<b[^>]*>React<\/b>/);
});

test("a scheduled letter is moved and cancelled once", async () => {
  const id = await send({ scheduledAt: later(24) });
  assert.deepEqual(await good(client.emails.update(id, { scheduledAt: later(25) })), { emailId: id });
  assert.deepEqual(await good(client.emails.cancel(id)), { emailId: id });
  assert.equal((await statuses(id)).at(-1), "CANCELLED");
  const processed = { error: { code: "BAD_REQUEST", message: "Email already processed" } };
  assert.deepEqual(await refused(client.emails.cancel(id)), processed);
  assert.deepEqual(await refused(client.emails.update(id, { scheduledAt: later(1) })), processed);
});

test("a batch has an id for each entry in order", async () => {
  const letters = Array.from({ length: 100 }, (_, number) => ({ ...LETTER, subject: `Letter ${number}` }));
  const ids = (await good(client.emails.batch(letters))).map((entry) => entry.emailId);
  assert.equal(new Set(ids).size, 100);
  for (const number of [0, 50, 99]) assert.equal((await good(client.emails.get(ids[number]))).subject, `Letter ${number}`);
});

test("a key makes a repeat safe and a change a conflict", async () => {
  const once = { idempotencyKey: "javascript-order-1" };
  const first = await good(client.emails.send({ ...LETTER }, once));
  assert.deepEqual(await good(client.emails.send({ ...LETTER }, once)), first);
  const { error } = await refused(client.emails.send({ ...LETTER, subject: "Other" }, once));
  assert.deepEqual(error, { code: "NOT_UNIQUE", message: "Idempotency-Key already used with a different payload" });
  const other = { idempotencyKey: "javascript-order-2" };
  const batch = await good(client.emails.batch([LETTER, LETTER], other));
  assert.deepEqual(await good(client.emails.batch([LETTER, LETTER], other)), batch);
});

test("base addresses may end in a slash", async () => {
  for (const ending of ["/", "//"]) {
    const slashed = makeClient(FACTS.key, FACTS.url + ending);
    const { emailId } = await good(slashed.emails.send({ ...LETTER }));
    assert.equal((await good(slashed.emails.get(emailId))).id, emailId);
  }
});
