// No method of the client is left out; runs last.

import assert from "node:assert/strict";
import { test } from "node:test";
import { allMethods, called } from "./client.mjs";

test("every method was called", () => {
  const seen = called();
  assert.deepEqual(
    allMethods().filter((name) => !seen.has(name)),
    [],
  );
});
