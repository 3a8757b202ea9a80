// The npm client as its users make it, with a note of every method that is called.

import { appendFileSync, existsSync, readFileSync } from "node:fs";
import { UseSend, Webhooks } from "usesend-js";

export const FACTS = JSON.parse(process.env.POSTROOM_FACTS);
const CALLED = FACTS.called; // a file, as each file of tests is a process of its own

const methods = (thing) =>
  Object.getOwnPropertyNames(Object.getPrototypeOf(thing)).filter((name) => name !== "constructor");

const isResource = (value) => value && typeof value === "object" && "usesend" in value;

function noting(thing, place) {
  for (const name of methods(thing)) {
    const method = thing[name].bind(thing);
    thing[name] = (...given) => {
      appendFileSync(CALLED, `${place}${name}\n`);
      return method(...given);
    };
  }
  return thing;
}

export function makeClient(key = FACTS.key, url = FACTS.url) {
  const client = noting(new UseSend(key, url), "");
  for (const [name, value] of Object.entries(client)) if (isResource(value)) noting(value, `${name}.`);
  const webhooks = client.webhooks;
  client.webhooks = (secret) => noting(webhooks(secret), "webhooks.");
  return client;
}

// Every public method of the client, of its resources and of its verifier; what TypeScript calls private is none.
export function allMethods() {
  const hidden = new Set(["mergeHeaders", "webhooks.verifyInternal"]);
  const client = new UseSend("us_x", "http://localhost");
  const found = [...methods(client), ...methods(new Webhooks("s")).map((name) => `webhooks.${name}`)];
  for (const [place, value] of Object.entries(client))
    if (isResource(value)) found.push(...methods(value).map((name) => `${place}.${name}`));
  return found.filter((name) => !hidden.has(name));
}

export const called = () => new Set(existsSync(CALLED) ? readFileSync(CALLED, "utf8").split("\n") : []);

export async function until(look, limitMs = 30_000) {
  const end = Date.now() + limitMs;
  for (;;) {
    const found = await look();
    if (found) return found;
    if (Date.now() > end) throw new Error("waited in vain");
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
}

// Returns what came back without a fault.
export async function good(answer) {
  const { data, error } = await answer;
  if (error) throw new Error(JSON.stringify(error));
  return data;
}

export const refused = async (answer) => {
  const { data, error } = await answer;
  if (data !== null) throw new Error(`was not refused: ${JSON.stringify(data)}`);
  return error;
};

export const publish = async (domain) =>
  fetch(`${FACTS.outside}/publish`, {
    method: "POST",
    body: JSON.stringify({ zone: domain.name, records: domain.dnsRecords }),
  });

export const received = async () => (await fetch(`${FACTS.outside}/calls`)).json();
