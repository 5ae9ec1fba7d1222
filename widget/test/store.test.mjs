import assert from "node:assert/strict";
import { test } from "node:test";
import { memoryStorage } from "../src/sync.js";
import { event, fakeLocks, page, serving } from "./helpers.mjs";

const [A, B] = ["B000000001", "B000000002"];
const C = "B000000003";

test("an add shows at once and the server's word replaces it", async (t) => {
  const server = await serving(t);
  const { store } = page(server.base);
  const done = store.add("US", A, undefined, 5);
  assert.equal(store.count(), 5);
  assert.equal(store.view("US").busy, true);
  await done;
  assert.equal(store.count(), 3);
  assert.equal(store.view("US").items[0].title.length > 0, true);
  assert.deepEqual(store.notices().map(({ text }) => text.slice(0, 6)), ["Only 3"]);
});

test("ten clicks on + are one request", async (t) => {
  const server = await serving(t);
  const { store } = page(server.base);
  await store.add("US", B, undefined, 1);
  const clicks = Array.from({ length: 10 }, (_, n) => store.set("US", { asin: B, quantity: n + 2 }));
  assert.equal(store.view("US").items[0].quantity, 11);
  await Promise.all(clicks);
  assert.deepEqual(server.changes().map(({ body }) => body.items), [[{ asin: B, quantity: 1 }], [{ asin: B, quantity: 11 }]]);
  assert.equal(store.view("US").busy, false);
});

test("clicks while a request is under way go out together, one request at a time", async (t) => {
  const server = await serving(t);
  server.faults.push(60);
  const { store } = page(server.base);
  const first = store.add("US", B, undefined, 1);
  await new Promise((sent) => {
    const look = () => (server.changes().length ? sent() : setTimeout(look, 1));
    look();
  });
  await Promise.all([first, ...[1, 2, 3].map(() => store.add("US", B, undefined, 1))]);
  assert.deepEqual(server.changes().map(({ body }) => body.items[0].quantity), [1, 3]);
  assert.equal(server.most, 1);
  assert.equal(store.count(), 4);
});

test("a new shopper's clicks in two locales go out one after the other", async (t) => {
  const server = await serving(t);
  server.faults.push(30);
  const { store } = page(server.base);
  await Promise.all([store.add("US", B, undefined, 1), store.add("DE", B, undefined, 1)]);
  assert.equal(server.most, 1);
  assert.deepEqual(store.locales(), ["DE", "US"]);
});

for (const fault of ["503", "lost"]) {
  test(`after ${fault == "lost" ? "a lost answer" : "a 503"} the same key is sent again and the item is in the cart once`, async (t) => {
    const server = await serving(t);
    server.faults.push(fault);
    const { store, events, storage } = page(server.base);
    await store.add("US", B, undefined, 2);
    const [first, second] = server.changes();
    assert.equal(first.key, second.key);
    assert.equal(server.cart("US").count, 2);
    assert.equal(events.filter(({ type }) => type == "waiting").length, 1);
    assert.equal([...Array(storage.length).keys()].some((n) => storage.key(n).includes(":q:")), false);
  });
}

test("Retry-After is waited out before the next try", async (t) => {
  const server = await serving(t);
  server.faults.push("503");
  server.retryAfter = "0.02";
  const { store } = page(server.base);
  const start = performance.now();
  await store.add("US", B, undefined, 1);
  assert.ok(performance.now() - start >= 20);
});

test("what the server refuses is taken back and told", async (t) => {
  const server = await serving(t);
  const { store, events } = page(server.base);
  await assert.rejects(store.add("US", "B0000000XX", undefined, 2), { status: 422, code: "unknown_asin" });
  assert.equal(store.count(), 0);
  assert.deepEqual(events.filter(({ type }) => type == "error").map(({ error }) => error.code), ["unknown_asin"]);
});

test("a refused change does not hold up the next one", async (t) => {
  const server = await serving(t);
  const { store } = page(server.base);
  await store.add("US", B, undefined, 1);
  server.faults.push("422");
  const refused = assert.rejects(store.set("US", { asin: B, quantity: 9 }));
  await refused;
  await store.set("US", { asin: B, quantity: 4 });
  assert.equal(store.count(), 4);
});

test("the next page sends what the last one could not, and its badge needs no request", async (t) => {
  const server = await serving(t);
  const storage = memoryStorage();
  let tries = 0;
  const offline = () => (tries++ ? new Promise(() => {}) : Promise.reject(new TypeError("offline")));
  const gone = page(server.base, { storage, fetch: offline });
  const waiting = event(gone.store, ({ type }) => type == "waiting");
  void gone.store.add("US", B, undefined, 2);
  await waiting;
  const next = page(server.base, { storage });
  assert.equal(next.store.count(), 2);
  assert.equal(server.log.length, 0);
  const there = event(next.store, () => server.cart("US").count == 2 && !next.store.view("US").busy);
  next.store.flush();
  await there;
  assert.equal(server.changes().length, 1);
});

test("a notice is told once, in whatever page it is read again", async (t) => {
  const server = await serving(t);
  const storage = memoryStorage();
  const first = page(server.base, { storage });
  await first.store.add("US", A, undefined, 9);
  await first.store.refresh(true);
  assert.equal(first.events.filter(({ type }) => type == "notice").length, 1);
  const second = page(server.base, { storage });
  await second.store.refresh(true);
  assert.equal(second.events.filter(({ type }) => type == "notice").length, 0);
  const [{ key }] = first.store.notices();
  first.store.dismiss(key);
  assert.deepEqual(first.store.notices(), []);
});

test("a cart that is still pending is read again until it is not", async (t) => {
  const server = await serving(t);
  server.cart("US").pending = true;
  const { store } = page(server.base);
  await store.add("US", B, undefined, 1);
  assert.equal(store.view("US").busy, true);
  server.cart("US").pending = false;
  await event(store, () => !store.view("US").busy);
  assert.ok(server.log.some(({ method, path }) => method == "GET" && path == "carts/US"));
});

test("a reading that began before a change does not undo it", async (t) => {
  const server = await serving(t);
  let release;
  const held = new Promise((go) => (release = go));
  const slow = async (url, options) => {
    const response = await fetch(url, options);
    if (url.endsWith("/carts")) await held;
    return response;
  };
  const { store } = page(server.base, { fetch: slow });
  await store.add("US", B, undefined, 1);
  const reading = store.refresh(true);
  await store.set("US", { asin: B, quantity: 6 });
  release();
  await reading;
  assert.equal(store.count(), 6);
});

test("a cart the server no longer has is gone here too", async (t) => {
  const server = await serving(t);
  const { store } = page(server.base);
  await store.add("US", B, undefined, 1);
  delete server.carts.US;
  await store.refresh(true);
  assert.equal(store.count(), 0);
  assert.deepEqual(store.locales(), []);
});

test("leaving and answering go to the hand-off, and an arrived cart is empty", async (t) => {
  const server = await serving(t);
  const { store } = page(server.base);
  await store.add("US", B, undefined, 2);
  const left = event(store, () => store.view("US").handoff?.leftAt && !store.view("US").busy);
  store.left("US");
  await left;
  assert.equal(store.view("US").handoff.leftCount, 2);
  await store.outcome("US", "arrived");
  assert.equal(store.count(), 0);
  assert.deepEqual(server.changes().slice(1).map(({ path, body }) => [path, body.outcome]), [["carts/US/handoff", "left"], ["carts/US/handoff", "arrived"]]);
});

test("two tabs send one request at a time, and each sees the other's cart", async (t) => {
  const server = await serving(t);
  const [storage, locks] = [memoryStorage(), fakeLocks()];
  const tabs = [];
  const channelOf = (own) => ({ postMessage: ({ cart }) => tabs.forEach(({ store }, n) => n != own && store.heard(structuredClone(cart))) });
  for (const n of [0, 1]) tabs.push(page(server.base, { storage, locks, tab: "tab" + n, channel: channelOf(n) }));
  server.faults.push(20, 20);
  await Promise.all([tabs[0].store.add("US", B, undefined, 1), tabs[1].store.add("US", C, undefined, 1)]);
  assert.equal(server.most, 1);
  assert.deepEqual(tabs.map(({ store }) => store.count()), [2, 2]);
});

test("storage of strangers or of an older widget does no harm", async (t) => {
  const server = await serving(t);
  for (const junk of ["{", "[]", "null", '{"counts":7,"told":"x"}']) {
    const storage = memoryStorage();
    storage.setItem("ecscart:test:state", junk);
    assert.equal(page(server.base, { storage }).store.count(), 0, junk);
  }
});

test("no token, no request: a page of another origin without a shopper asks nothing", async (t) => {
  const server = await serving(t, { token: "secret" });
  const { store } = page(server.base, { bearer: true });
  await store.refresh(true);
  assert.equal(store.isLoaded(), true);
  assert.equal(server.log.length, 0);
});
