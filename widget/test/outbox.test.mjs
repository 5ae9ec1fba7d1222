import assert from "node:assert/strict";
import { test } from "node:test";
import { createOutbox, fold } from "../src/outbox.js";
import { memoryStorage } from "../src/sync.js";

const add = (asin, quantity = 1) => ({ kind: "add", line: { asin, quantity } });
const set = (asin, rest) => ({ kind: "set", line: { asin, ...rest } });
const request = (kind, ...items) => ({ key: "k", locale: "US", at: 1, tab: "t", kind, items });

let keys = 0;
/** An outbox with a clock that stands and keys that count. */
function outboxOn(storage = memoryStorage(), { tab = "one", at = 1_000_000 } = {}) {
  const clock = { now: at };
  return { storage, clock, outbox: createOutbox({ storage, prefix: "p:", tab, now: () => clock.now, uuid: () => `${tab}-${++keys}` }) };
}

const foldings = [
  ["the same item twice is one line with both quantities", request("add", { asin: "A", quantity: 1 }), add("A", 2), [{ asin: "A", quantity: 3 }]],
  ["another item is another line", request("add", { asin: "A", quantity: 1 }), add("B"), [{ asin: "A", quantity: 1 }, { asin: "B", quantity: 1 }]],
  ["an added quantity stays below a thousand", request("add", { asin: "A", quantity: 998 }), add("A", 5), [{ asin: "A", quantity: 999 }]],
  ["the last quantity set counts", request("set", { asin: "A", quantity: 2 }), set("A", { quantity: 7 }), [{ asin: "A", quantity: 7 }]],
  ["an area joins a quantity", request("set", { asin: "A", quantity: 2 }), set("A", { area: "saved" }), [{ asin: "A", quantity: 2, area: "saved" }]],
  ["a removal forgets the area", request("set", { asin: "A", area: "saved" }), set("A", { quantity: 0 }), [{ asin: "A", quantity: 0 }]],
];
for (const [fact, open, change, lines] of foldings) {
  test(`folding: ${fact}`, () => {
    assert.equal(fold(open, change), true);
    assert.deepEqual(open.items, lines);
  });
}

test("an add does not fold into a set, and a set not into an add", () => {
  assert.equal(fold(request("set", { asin: "A", quantity: 2 }), add("A")), false);
  assert.equal(fold(request("add", { asin: "A", quantity: 2 }), set("A", { quantity: 1 })), false);
});

test("a fifty-first line is a request of its own", () => {
  const full = request("add", ...Array.from({ length: 50 }, (_, n) => ({ asin: "A" + n, quantity: 1 })));
  assert.equal(fold(full, add("B")), false);
});

test("ten clicks on + are one request with one key", () => {
  const { outbox } = outboxOn();
  const keys = new Set(Array.from({ length: 10 }, (_, n) => outbox.put("US", set("A", { quantity: n + 2 }))));
  assert.equal(keys.size, 1);
  assert.deepEqual(outbox.of("US")[0].items, [{ asin: "A", quantity: 11 }]);
});

test("nothing is folded into a request that was sent", () => {
  const { outbox } = outboxOn();
  outbox.put("US", add("A"));
  const sent = outbox.take("US");
  outbox.put("US", add("A"));
  assert.deepEqual(outbox.of("US").map(({ items }) => items[0].quantity), [1, 1]);
  assert.equal(outbox.take("US").key, sent.key);
});

test("requests made within one millisecond keep their order", () => {
  const { outbox } = outboxOn();
  outbox.put("US", add("A"));
  outbox.put("US", set("A", { quantity: 5 }));
  outbox.put("US", { kind: "handoff", outcome: "left" });
  assert.deepEqual(outbox.of("US").map(({ kind }) => kind), ["add", "set", "handoff"]);
});

test("emptying a cart drops what was not sent yet", () => {
  const { outbox } = outboxOn();
  outbox.put("US", add("A"));
  outbox.put("DE", add("B"));
  outbox.put("US", { kind: "clear" });
  assert.deepEqual(outbox.of("US").map(({ kind }) => kind), ["clear"]);
  assert.equal(outbox.of("DE").length, 1);
});

test("the next page of the tab sends what the last one left, under the same key, and folds nothing into it", () => {
  const { outbox, storage } = outboxOn();
  const key = outbox.put("US", add("A"));
  const next = outboxOn(storage).outbox;
  const other = next.put("US", add("A"));
  assert.equal(next.take("US").key, key);
  assert.notEqual(other, key);
});

test("another tab leaves a young request alone and takes over an old one", () => {
  const { outbox, storage, clock } = outboxOn();
  outbox.put("US", add("A"));
  const other = outboxOn(storage, { tab: "two", at: clock.now });
  assert.equal(other.outbox.take("US"), undefined);
  assert.equal(other.outbox.of("US").length, 1);
  other.clock.now += 10_001;
  assert.equal(other.outbox.take("US").items[0].asin, "A");
});

test("what is older than a day is not sent any more", () => {
  const { outbox, storage, clock } = outboxOn();
  outbox.put("US", add("A"));
  assert.equal(outboxOn(storage, { at: clock.now + 86_400_001 }).outbox.of("US").length, 0);
  assert.equal(storage.length, 0);
});

for (const junk of ["", "{", "[]", "null", '"text"', '{"key":"x"}', '{"key":"x","locale":"US","kind":"add","at":"soon"}']) {
  test(`a stored ${junk || "empty text"} is thrown away`, () => {
    const storage = memoryStorage();
    storage.setItem("p:q:x", junk);
    assert.equal(outboxOn(storage).outbox.of("US").length, 0);
    assert.equal(storage.length, 0);
  });
}

test("storage holds ASINs, quantities, locales and keys, nothing of the retailer's content", () => {
  const { outbox, storage } = outboxOn();
  outbox.put("US", add("A"));
  const stored = JSON.parse(storage.getItem(storage.key(0)));
  assert.deepEqual(Object.keys(stored).sort(), ["at", "items", "key", "kind", "locale", "tab"]);
  assert.deepEqual(Object.keys(stored.items[0]).sort(), ["asin", "quantity"]);
});
