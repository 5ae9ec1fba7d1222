import assert from "node:assert/strict";
import { test } from "node:test";
import { ApiError, createApi, seconds } from "../src/api.js";
import { memoryStorage } from "../src/sync.js";
import { serving } from "./helpers.mjs";

const adding = (key = "k1") => ({ key, locale: "US", at: 1, tab: "t", kind: "add", items: [{ asin: "B000000001", quantity: 1 }] });
const apiTo = (base, options) => createApi({ base, bearer: false, storage: memoryStorage(), prefix: "p:", ...options });
const answering = (status, body, headers) => async () => new Response(body, { status, headers });

for (const [value, expected] of [["2", 2], [0, 0], ["0", 0], ["9999", 120], ["Thu, 01 Jan 1970 00:00:05 GMT", null], ["soon", null], ["-3", null], [null, null], ["", null]]) {
  test(`Retry-After ${JSON.stringify(value)} is ${expected} seconds`, () => assert.equal(seconds(value), expected));
}

const statuses = [[500, true], [503, true], [429, true], [408, true], [400, false], [403, false], [404, false], [410, false], [422, false]];
for (const [status, transient] of statuses) {
  test(`status ${status} is ${transient ? "tried again" : "final"} and carries the problem's words`, async () => {
    const api = apiTo("http://x", { fetch: answering(status, '{"code":"c","detail":"Do this."}') });
    await assert.rejects(api.cart("US"), (error) => {
      assert.ok(error instanceof ApiError);
      assert.deepEqual([error.status, error.code, error.message, error.transient], [status, "c", "Do this.", transient]);
      return true;
    });
  });
}

for (const [what, body] of [["a proxy's page", "<html>Welcome to the café"], ["nothing", ""], ["JSON of another shape", '{"items": 3}']]) {
  test(`${what} with status 200 is no answer`, async () => {
    await assert.rejects(apiTo("http://x", { fetch: answering(200, body) }).send(adding()), { status: 0, transient: true });
  });
}

test("a change carries its key and no token on the site itself", async (t) => {
  const server = await serving(t);
  const { data } = await apiTo(server.base).send(adding("key-1"));
  assert.equal(data.count, 1);
  assert.deepEqual(server.log.map(({ method, path, key, authorization }) => [method, path, key, authorization]), [["POST", "carts/US/items", "key-1", undefined]]);
});

test("another origin asks for one token however many changes wait for it, and sends it", async (t) => {
  const server = await serving(t, { token: "secret" });
  const api = apiTo(server.base, { bearer: true });
  assert.equal(api.mayKnow(), false);
  await Promise.all([api.send(adding("a")), api.send(adding("b"))]);
  assert.equal(server.tokens, 1);
  assert.deepEqual(server.changes().map(({ authorization }) => authorization), ["Bearer secret1", "Bearer secret1"]);
  assert.equal(api.mayKnow(), true);
});

test("a token that is no longer good is replaced once, and the change arrives", async (t) => {
  const server = await serving(t, { token: "secret" });
  const storage = memoryStorage();
  storage.setItem("p:token", "old");
  const { data } = await apiTo(server.base, { bearer: true, storage }).send(adding());
  assert.equal(data.count, 1);
  assert.equal(storage.getItem("p:token"), "secret1");
});

test("a server that refuses every token is not asked for ever", async () => {
  let calls = 0;
  const fetch = async (url) => (calls++, new Response('{"token":"t"}', { status: url.endsWith("shopper") ? 200 : 401 }));
  await assert.rejects(apiTo("http://x", { bearer: true, fetch }).send(adding()), { status: 401 });
  assert.equal(calls, 4);
});
