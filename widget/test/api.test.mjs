import assert from "node:assert/strict";
import { test } from "node:test";
import { createApi } from "../src/api.js";
import { FakeStorage, serving } from "./helpers.mjs";

const apiTo = (base, options) => createApi({ base, bearer: false, storage: new FakeStorage(), prefix: "p:", ...options });
const answering = (status, body, headers) => async () => new Response(body, { status, headers });
const add = (api, key = "k1") => api.call("POST", "carts/US/items", { items: [{ asin: "B000000001", quantity: 1 }] }, key);

test("a problem is thrown with its status, code, words and time", async () => {
  const fetch = answering(503, '{"code":"c","detail":"Do this."}', { "Retry-After": "7" });
  await assert.rejects(apiTo("http://x", { fetch }).call("GET", "carts"), { status: 503, code: "c", detail: "Do this.", retryAfter: "7" });
});

for (const [what, body] of [["a proxy's page", "<html>Welcome to the café"], ["nothing", ""], ["null", "null"]]) {
  test(`${what} with status 200 is no answer`, async () => {
    await assert.rejects(add(apiTo("http://x", { fetch: answering(200, body) })), { status: 0 });
  });
}

test("no connection is no answer", async () => {
  await assert.rejects(add(apiTo("http://x", { fetch: () => Promise.reject(new TypeError("offline")) })), { status: 0 });
});

test("a change carries its key and no token on the site itself", async (t) => {
  const server = await serving(t);
  const { count } = await add(apiTo(server.base), "key-1");
  assert.equal(count, 1);
  assert.deepEqual(server.log.map(({ method, path, key, authorization }) => [method, path, key, authorization]), [["POST", "carts/US/items", "key-1", undefined]]);
});

test("another origin gets a token with the first change and sends it from then on", async (t) => {
  const server = await serving(t, { token: "secret" });
  const api = apiTo(server.base, { bearer: true });
  assert.ok(!api.mayKnow());
  await add(api, "a");
  await add(api, "b");
  assert.equal(server.tokens, 1);
  assert.deepEqual(server.changes().map(({ authorization }) => authorization), ["Bearer secret1", "Bearer secret1"]);
  assert.ok(api.mayKnow());
});

test("a token that is no longer good is forgotten, so that the next try gets another", async (t) => {
  const server = await serving(t, { token: "secret" });
  const storage = new FakeStorage();
  storage.write("p:token", "old");
  const api = apiTo(server.base, { bearer: true, storage });
  await assert.rejects(add(api), { status: 401 });
  await add(api);
  assert.equal(storage.read("p:token"), "secret1");
});

/** A server that answers nobody of our origin, and is there or is not. */
const refusing = (there) => async (url) => {
  if (there && url.endsWith("/healthz")) return new Response(null);
  throw new TypeError("Failed to fetch");
};
for (const there of [true, false]) {
  test(`a token nobody gives is ${there ? "a refusal of this page, with the name of the setting on the console" : "no answer"}`, async (t) => {
    const said = t.mock.method(console, "error", () => {});
    globalThis.location ??= { origin: "https://blog.example" };
    const api = apiTo("http://x", { bearer: true, fetch: refusing(there) });
    await assert.rejects(add(api), { status: 0 });
    assert.equal(api.refused, there);
    assert.equal(said.mock.calls.some(({ arguments: [text] }) => text.includes("ECSCART_ALLOWED_ORIGINS")), there);
  });
}
