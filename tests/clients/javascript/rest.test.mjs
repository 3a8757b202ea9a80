// Domains, contact books, contacts, campaigns and analytics by the client.

import assert from "node:assert/strict";
import { test } from "node:test";
import { FACTS, good, makeClient, publish, refused, until } from "./client.mjs";

const client = makeClient();
const DONE = { success: true };
const HTML = '<p>Hi {{firstName,fallback=you}} <a href="{{usesend_unsubscribe_url}}">Leave</a></p>';

test("a domain is added, verified and deleted", async () => {
  const domain = await good(client.domains.create({ name: "javascript.example", region: "eu-west-1" }));
  assert.equal(domain.status, "PENDING");
  assert.ok((await good(client.domains.list())).some((one) => one.id === domain.id));
  await publish(domain);
  assert.deepEqual(await good(client.domains.verify(domain.id)), { message: "Domain verification started" });
  await until(async () => (await good(client.domains.get(domain.id))).status === "SUCCESS");
  const deleted = { id: domain.id, success: true, message: "Domain deleted successfully" };
  assert.deepEqual(await good(client.domains.delete(domain.id)), deleted);
  const gone = { error: { code: "NOT_FOUND", message: "Domain not found" } };
  assert.deepEqual(await refused(client.domains.get(domain.id)), gone);
});

test("a book is made, changed and deleted", async () => {
  const book = await good(client.contactBooks.create({ name: "Letters", emoji: "📬", variables: ["plan"] }));
  assert.deepEqual(book.variables, ["plan"]);
  assert.equal((await good(client.contactBooks.update(book.id, { name: "News" }))).name, "News");
  assert.deepEqual((await good(client.contactBooks.get(book.id)))._count, { contacts: 0 });
  assert.ok((await good(client.contactBooks.list())).some((one) => one.id === book.id));
  assert.equal((await good(client.contactBooks.delete(book.id))).success, true);
  assert.equal((await refused(client.contactBooks.get(book.id))).error.code, "NOT_FOUND");
});

test("contacts are added, looked up, changed and deleted, one by one and many at once", async () => {
  const { id: book } = await good(client.contactBooks.create({ name: "People", doubleOptInEnabled: false }));
  const { contactId } = await good(client.contacts.create(book, { email: "ann@example.com", firstName: "Ann" }));
  await good(client.contacts.update(book, contactId, { lastName: "Lee" }));
  assert.deepEqual(await good(client.contacts.upsert(book, contactId, { email: "ann@example.com", firstName: "Anna" })), { contactId });
  const ann = await good(client.contacts.get(book, contactId));
  assert.deepEqual([ann.firstName, ann.lastName, ann.contactBookId], ["Anna", "Lee", book]);
  assert.deepEqual(await good(client.contacts.delete(book, contactId)), DONE);
  assert.equal((await refused(client.contacts.get(book, contactId))).error.message, "Contact not found");
  const people = Array.from({ length: 50 }, (_, number) => ({ email: `many${number}@example.com` }));
  assert.equal((await good(client.contacts.bulkCreate(book, people))).count, 50);
  await until(async () => (await good(client.contactBooks.get(book)))._count.contacts === 50);
  const ids = (await good(client.get(`/contactBooks/${book}/contacts`))).map((contact) => contact.id);
  assert.deepEqual(await good(client.contacts.bulkDelete(book, { contactIds: ids })), { success: true, count: 50 });
  await good(client.contactBooks.delete(book));
});

test("a campaign is made, scheduled, paused, resumed, sent and deleted", async () => {
  const { id: book } = await good(client.contactBooks.create({ name: "Readers", doubleOptInEnabled: false }));
  await good(client.contacts.create(book, { email: "reader@example.com", firstName: "R" }));
  const campaign = await good(
    client.campaigns.create({ name: "Spring", from: "news@acme.example", subject: "Hi", contactBookId: book, html: HTML }),
  );
  assert.equal(campaign.status, "DRAFT");
  const status = async () => (await good(client.campaigns.get(campaign.id))).status;
  assert.deepEqual(await good(client.campaigns.schedule(campaign.id, { scheduledAt: "tomorrow 9am" })), DONE);
  assert.equal(await status(), "SCHEDULED");
  const page = await good(client.campaigns.getAll({ page: "1", status: "SCHEDULED", search: "spri" }));
  assert.deepEqual([page.campaigns.map((one) => one.id), page.totalPage], [[campaign.id], 1]);
  assert.deepEqual(await good(client.campaigns.pause(campaign.id)), DONE);
  assert.equal(await status(), "PAUSED");
  assert.deepEqual(await good(client.campaigns.resume(campaign.id)), DONE);
  assert.deepEqual(await good(client.campaigns.schedule(campaign.id, {})), DONE);
  await until(async () => (await status()) === "SENT");
  assert.equal((await good(client.campaigns.delete(campaign.id))).id, campaign.id);
  assert.equal((await refused(client.campaigns.get(campaign.id))).error.message, "Campaign not found");
  await good(client.contactBooks.delete(book));
});

test("the figures are told by day and altogether", async () => {
  await good(client.emails.send({ to: "figure@example.com", from: "shop@acme.example", subject: "Hi", text: "Hi" }));
  const series = await until(async () => {
    const found = await good(client.analytics.emailTimeSeries({ days: "7" }));
    return found.totalCounts.delivered > 0 ? found : null;
  });
  assert.equal(series.result.length, 8);
  assert.match(series.result.at(-1).date, /^[A-Z][a-z]{2} \d\d$/);
  assert.equal(series.result.at(-1).delivered, series.totalCounts.delivered);
  assert.equal((await good(client.analytics.emailTimeSeries())).result.length, 31);
  const metrics = await good(client.analytics.reputationMetrics());
  assert.deepEqual([metrics.hardBounced, metrics.bounceRate, metrics.complaintRate], [0, 0, 0]);
  assert.ok(metrics.delivered > 0);
  assert.deepEqual((await good(client.analytics.reputationMetrics({ domainId: "0" }))).delivered, 0);
});

test("refusals have the shapes the client knows", async () => {
  const envelope = (code, message) => ({ error: { code, message } });
  assert.deepEqual(
    await refused(makeClient(" ").domains.list()),
    envelope("UNAUTHORIZED", "No Authorization header provided"),
  );
  assert.deepEqual(
    await refused(makeClient(`us_0123456789_${"0".repeat(32)}`).domains.list()),
    envelope("FORBIDDEN", "Invalid API token"),
  );
  assert.deepEqual(await refused(client.emails.get("0".repeat(32))), envelope("NOT_FOUND", "Email not found"));
  assert.equal(await refused(client.domains.verify(10 ** 9)), "Domain not found");
  const unfit = await refused(client.emails.send({ to: "a@example.com", subject: "Hi", text: "Hi" }));
  const issue = { code: "invalid_type", expected: "string", received: "undefined", path: ["from"], message: "Required" };
  assert.deepEqual(unfit, { issues: [issue], name: "ZodError" });
  const nowhere = { code: "INTERNAL_SERVER_ERROR", message: "Not Found" };
  for (const answer of [
    client.get("/nowhere"),
    client.post("/nowhere", {}),
    client.put("/nowhere", {}),
    client.patch("/nowhere", {}),
    client.delete("/nowhere"),
  ])
    assert.deepEqual(await refused(answer), nowhere);
  assert.equal((await refused(makeClient(FACTS.sending_key).contactBooks.list())).error.code, "FORBIDDEN");
});
