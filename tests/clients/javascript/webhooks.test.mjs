// Webhooks of the installation, verified by the client's own verifier.

import assert from "node:assert/strict";
import { test } from "node:test";
import { FACTS, good, makeClient, received, until } from "./client.mjs";

const client = makeClient();
const verifier = client.webhooks(FACTS.webhook_secret);
const of = async (id) => (await received()).filter((call) => JSON.parse(call.body).data.id === id);
const types = (calls) => calls.map((call) => JSON.parse(call.body).type);

test("events of a letter are told and verified, and nothing forged, old or changed is", async () => {
  const letter = { to: "ann@example.com", from: "shop@acme.example", subject: "Hook", text: "Hi" };
  const { emailId } = await good(client.emails.send(letter));
  const calls = await until(async () => {
    const found = await of(emailId);
    return ["email.queued", "email.sent", "email.delivered"].every((type) => types(found).includes(type)) && found;
  });
  for (const { headers, body } of calls) {
    assert.equal(verifier.verify(body, { headers }), true);
    const event = verifier.constructEvent(Buffer.from(body), { headers: new Headers(headers) });
    assert.equal(event.type, headers["X-UseSend-Event"]);
    assert.deepEqual([event.data.id, event.data.subject, event.teamId], [emailId, "Hook", FACTS.team]);
  }
  const { headers, body } = calls[0];
  const at = (ms) => ({ ...headers, "X-UseSend-Timestamp": String(Number(headers["X-UseSend-Timestamp"]) + ms) });
  const tries = [
    ["SIGNATURE_MISMATCH", body, { headers, secret: `whsec_${"0".repeat(64)}` }],
    ["SIGNATURE_MISMATCH", body.replace("Hook", "Cook"), { headers }],
    ["SIGNATURE_MISMATCH", body, { headers: at(1) }],
    ["TIMESTAMP_OUT_OF_RANGE", body, { headers: at(-3_600_000) }],
    ["TIMESTAMP_OUT_OF_RANGE", body, { headers, tolerance: 0 }],
    ["MISSING_SIGNATURE", body, { headers: {} }],
  ];
  for (const [code, said, options] of tries) {
    assert.equal(verifier.verify(said, options), false);
    assert.throws(() => verifier.constructEvent(said, options), { code });
  }
});
