import assert from "node:assert/strict";
import { test } from "node:test";
import { FakeStorage, PREFIX, fakeLocks, page, serving, until } from "./helpers.mjs";

const [A, B, C] = ["B000000001", "B000000002", "B000000003"];
const add = (store, asin, quantity = 1, locale = "US") => store.put("add", locale, { asin, quantity });
const set = (store, asin, quantity) => store.put("set", "US", { asin, quantity });
const waiting = (storage) => Object.keys(storage).filter((name) => /did|sending/.test(name));

test("an add shows at once and the server's word replaces it", async (t) => {
  const server = await serving(t);
  const { store } = page(server.base);
  const done = add(store, A, 5);
  assert.equal(store.pieces(), 5);
  assert.equal(store.viewOf("US").pending, true);
  assert.equal(await done, undefined);
  assert.equal(store.pieces(), 3);
  assert.deepEqual(store.notes.map(({ message }) => message), ["Only 3 of “The Quiet Garden: A Year of Slow Planting” can be ordered; the quantity is now 3."]);
});

test("ten clicks on + are one request", async (t) => {
  const server = await serving(t);
  const { store } = page(server.base);
  await add(store, B);
  const clicks = Array.from({ length: 10 }, (_, n) => set(store, B, n + 2));
  assert.equal(store.viewOf("US").items[0].quantity, 11);
  await Promise.all(clicks);
  assert.deepEqual(server.changes().map(({ body }) => body.items), [[{ asin: B, quantity: 1 }], [{ asin: B, quantity: 11 }]]);
  assert.equal(store.viewOf("US").pending, false);
});

test("clicks while a request is under way go out together, one request at a time", async (t) => {
  const server = await serving(t);
  server.faults.push(60);
  const { store } = page(server.base);
  const first = add(store, B);
  await until(() => server.changes().length);
  await Promise.all([first, ...[1, 2, 3].map(() => add(store, B))]);
  assert.deepEqual(server.changes().map(({ body }) => body.items[0].quantity), [1, 3]);
  assert.equal(server.most, 1);
  assert.equal(store.pieces(), 4);
});

test("changes of several carts go out one after the other, in the order they were made", async (t) => {
  const server = await serving(t);
  server.faults.push(30);
  const { store } = page(server.base);
  await Promise.all([add(store, B), add(store, B, 1, "DE"), store.put("clear", "US")]);
  assert.equal(server.most, 1);
  assert.deepEqual(server.changes().map(({ method, path }) => `${method} ${path}`), ["POST carts/US/items", "POST carts/DE/items", "DELETE carts/US/items"]);
  assert.equal(store.pieces(), 1);
});

for (const fault of ["503", "lost"]) {
  test(`after ${fault == "lost" ? "a lost answer" : "a 503"} the same key is sent again and the item is in the cart once`, async (t) => {
    const server = await serving(t);
    server.faults.push(fault);
    const { store, events, storage } = page(server.base);
    const done = add(store, B, 2);
    await until(() => store.busy);
    await done;
    const [first, second] = server.changes();
    assert.equal(first.key, second.key);
    assert.equal(server.cart("US").count, 2);
    assert.deepEqual(events.filter(({ type }) => type == "error").map(({ detail }) => detail.retrying), [true]);
    assert.equal(store.busy, "");
    assert.deepEqual(waiting(storage), []);
  });
}

test("what comes after a failure does not change the request that is repeated", async (t) => {
  const server = await serving(t);
  server.faults.push("lost");
  const { store } = page(server.base);
  const first = add(store, B);
  await until(() => store.busy);
  await Promise.all([first, add(store, B, 4)]);
  assert.deepEqual(server.changes().map(({ body }) => body.items[0].quantity), [1, 1, 4]);
  assert.equal(server.cart("US").count, 5);
});

test("Retry-After is waited out before the next try", async (t) => {
  const server = await serving(t);
  server.faults.push("503");
  server.retryAfter = "0.03";
  const { store } = page(server.base, { retry: 1 });
  const start = performance.now();
  await add(store, B);
  assert.ok(performance.now() - start >= 29);
});

test("a pause is cut short when the connection is back", async (t) => {
  const server = await serving(t);
  server.faults.push("503");
  const { store } = page(server.base, { retry: 60_000, most: 60_000 });
  const done = add(store, B);
  await until(() => store.busy);
  store.flush(true);
  await done;
  assert.equal(store.pieces(), 1);
});

test("what the server refuses is taken back and told", async (t) => {
  const server = await serving(t);
  const { store, events } = page(server.base);
  const reason = await add(store, "B0000000XX", 2);
  assert.deepEqual([reason.status, reason.code], [422, "unknown_asin"]);
  assert.equal(store.pieces(), 0);
  const [{ detail, note }] = events.filter(({ type }) => type == "error");
  assert.deepEqual([detail.code, detail.retrying, note.message], ["unknown_asin", false, "There is no product B0000000XX: check the ASIN."]);
});

test("what came together with something that is refused goes in all the same", async (t) => {
  const server = await serving(t);
  const { store } = page(server.base);
  const [one, wrong, other] = await Promise.all([add(store, B, 2), add(store, "B0000000XX"), add(store, C, 1)]);
  assert.deepEqual([one, wrong.code, other], [undefined, "unknown_asin", undefined]);
  assert.deepEqual(server.cart("US").toJSON().items.map(({ asin, quantity }) => [asin, quantity]), [[B, 2], [C, 1]]);
  assert.equal(store.notes.length, 1);
});

test("a refusal brings what can be chosen, and how many were asked for", async (t) => {
  const server = await serving(t);
  const { store } = page(server.base);
  await add(store, "B0000KINDS", 3);
  const [{ locale, quantity, choices }] = store.notes;
  assert.deepEqual([locale, quantity, choices.map(({ asin }) => asin)], ["US", 3, [B]]);
});

for (const [fault, word] of [["503", "busy"], ["lost", "offline"]]) {
  test(`after ${fault} the shopper is told ${word}`, async (t) => {
    const server = await serving(t);
    server.faults.push(fault);
    const { store } = page(server.base);
    const done = add(store, B);
    await until(() => store.busy);
    assert.equal(store.busy, word);
    await done;
  });
}

test("a refused change does not hold up the next one", async (t) => {
  const server = await serving(t);
  const { store } = page(server.base);
  await add(store, B);
  server.faults.push("422");
  assert.equal((await set(store, B, 9)).status, 422);
  await set(store, B, 4);
  assert.equal(store.pieces(), 4);
});

test("a token that is no longer good is replaced, and the change arrives", async (t) => {
  const server = await serving(t, { token: "secret" });
  const storage = new FakeStorage();
  storage.write(PREFIX + "token", "old");
  const { store } = page(server.base, { bearer: true, storage });
  await add(store, B);
  assert.equal(store.pieces(), 1);
  assert.equal(server.tokens, 1);
});

test("the next page sends what the last one could not, and its badge needs no request", async (t) => {
  const server = await serving(t);
  const storage = new FakeStorage();
  const gone = page(server.base, { storage, retry: 500, most: 500, fetch: () => Promise.reject(new TypeError("offline")) });
  void add(gone.store, B, 2);
  await until(() => gone.store.busy);
  const next = page(server.base, { storage });
  assert.equal(next.store.pieces(), 2);
  assert.equal(server.log.length, 0);
  await next.store.flush(true);
  assert.equal(server.cart("US").count, 2);
  assert.equal(server.changes().length, 1);
});

test("what another tab left is sent from here, after a while", async (t) => {
  const server = await serving(t);
  const storage = new FakeStorage();
  storage.write(`${PREFIX}did:${Date.now()}0.5`, { kind: "add", locale: "US", line: { asin: B, quantity: 3 }, at: Date.now() });
  const { store } = page(server.base, { storage });
  store.changed();
  assert.equal(store.pieces(), 3);
  await until(() => server.cart("US").count == 3 && !waiting(storage).length);
});

test("a batch another tab began is repeated under its key", async (t) => {
  const server = await serving(t);
  const [storage, locks] = [new FakeStorage(), fakeLocks()];
  server.faults.push("lost");
  const dead = page(server.base, { storage, locks, retry: 500, most: 500 });
  void add(dead.store, B, 2);
  await until(() => dead.store.busy);
  await page(server.base, { storage, locks }).store.flush(true);
  const [first, second] = server.changes();
  assert.equal(first.key, second.key);
  assert.equal(server.cart("US").count, 2);
});

test("two tabs send one request at a time, and each change is answered where it was made", async (t) => {
  const server = await serving(t);
  const [storage, locks] = [new FakeStorage(), fakeLocks()];
  const [one, two] = [page(server.base, { storage, locks }), page(server.base, { storage, locks })];
  server.faults.push(20, 20);
  const both = [add(one.store, B), add(two.store, C)];
  await until(() => !waiting(storage).length);
  one.store.changed();
  two.store.changed();
  await Promise.all(both);
  assert.equal(server.most, 1);
  assert.equal(server.cart("US").count, 2);
  assert.deepEqual([one.store.pieces(), two.store.pieces()], [2, 2]);
});

test("what waits longer than a day is dropped", (t) => {
  const storage = new FakeStorage();
  const at = Date.now() - 90_000_000;
  storage.write(`${PREFIX}did:${at}0.5`, { kind: "add", locale: "US", line: { asin: B, quantity: 3 }, at });
  assert.equal(page("http://x", { storage }).store.pieces(), 0);
  assert.deepEqual(waiting(storage), []);
});

test("a notice is told once, in whatever page it is read again", async (t) => {
  const server = await serving(t);
  const storage = new FakeStorage();
  const first = page(server.base, { storage });
  await add(first.store, A, 9);
  await first.store.load();
  assert.equal(first.events.filter(({ type }) => type == "notice").length, 1);
  const second = page(server.base, { storage });
  await second.store.load();
  assert.equal(second.events.filter(({ type }) => type == "notice").length, 0);
  first.store.drop(first.store.notes[0].id);
  assert.deepEqual(first.store.notes, []);
});

test("a new shopper's notices count from one again", async (t) => {
  const server = await serving(t);
  const { store, events, storage } = page(server.base);
  storage.write(PREFIX + "kept", { US: [4, 9] });
  await add(store, A, 9);
  assert.equal(events.filter(({ type }) => type == "notice").length, 1);
});

test("a cart that is still pending is read again until it is not", async (t) => {
  const server = await serving(t);
  server.cart("US").pending = true;
  const { store } = page(server.base);
  await add(store, B);
  assert.equal(store.viewOf("US").pending, true);
  server.cart("US").pending = false;
  await until(() => !store.viewOf("US").pending);
});

test("a reading and a change do not overtake each other", async (t) => {
  const server = await serving(t);
  const { store } = page(server.base);
  await add(store, B);
  const reading = store.load();
  await set(store, B, 6);
  await reading;
  assert.equal(store.pieces(), 6);
});

test("a cart the server no longer has is gone here too", async (t) => {
  const server = await serving(t);
  const { store } = page(server.base);
  await add(store, B);
  delete server.carts.US;
  await store.load();
  assert.equal(store.pieces(), 0);
  assert.deepEqual(store.locales(), []);
});

test("leaving and answering go to the hand-off, and an arrived cart is empty", async (t) => {
  const server = await serving(t);
  const { store } = page(server.base);
  await add(store, B, 2);
  await store.put("handoff", "US", { outcome: "left" });
  assert.equal(store.viewOf("US").handoff.leftCount, 2);
  await store.put("handoff", "US", { outcome: "arrived" });
  assert.equal(store.pieces(), 0);
  assert.deepEqual(server.changes().slice(1).map(({ path, body }) => [path, body.outcome]), [["carts/US/handoff", "left"], ["carts/US/handoff", "arrived"]]);
});

test("the storage holds ASINs, quantities and locales, and nothing else of a cart", async (t) => {
  const server = await serving(t);
  const { store, storage } = page(server.base);
  await add(store, A, 2);
  assert.deepEqual({ ...storage }, { [PREFIX + "kept"]: '{"US":[2,0]}' });
});

test("storage of strangers or of an older widget does no harm", async (t) => {
  const server = await serving(t);
  for (const junk of ["{", "[]", "null", "7", '{"US":7}']) {
    const storage = new FakeStorage();
    for (const name of ["kept", "sending", "did:1", `did:${Date.now()}`]) storage[PREFIX + name] = junk;
    const { store } = page(server.base, { storage });
    assert.equal(store.pieces(), 0, junk);
    await add(store, B);
    assert.equal(store.pieces(), server.cart("US").count, junk);
  }
});

test("no token, no request: a page of another origin without a shopper asks nothing", async (t) => {
  const server = await serving(t, { token: "secret" });
  const { store } = page(server.base, { bearer: true });
  await store.load();
  assert.equal(store.loaded, true);
  assert.equal(server.log.length, 0);
});

test("a cart that cannot be read is asked for again", async (t) => {
  const server = await serving(t);
  let fails = 1;
  const { store } = page(server.base, { fetch: (...request) => (fails-- > 0 ? Promise.reject(new TypeError("offline")) : fetch(...request)) });
  await store.load();
  assert.equal(store.busy, "offline");
  await until(() => !store.busy);
});
