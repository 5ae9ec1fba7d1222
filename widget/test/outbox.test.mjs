import assert from "node:assert/strict";
import { test } from "node:test";
import { fold, named, readJson } from "../src/outbox.js";
import { FakeStorage } from "./helpers.mjs";

const entry = (kind, line, locale = "US") => ({ kind, locale, line });
const batchOf = (first, ...rest) => {
  const batch = { kind: first.kind, locale: first.locale, items: first.line ? [{ ...first.line }] : [], ids: [] };
  return [rest.map((one) => Boolean(fold(batch, one))), batch.items];
};
const A = { asin: "A" };

const cases = [
  ["adds of one item are summed", [entry("add", { ...A, quantity: 1 }), entry("add", { ...A, quantity: 2 })], [true], [{ ...A, quantity: 3 }]],
  ["a sum stops at 999", [entry("add", { ...A, quantity: 900 }), entry("add", { ...A, quantity: 900 })], [true], [{ ...A, quantity: 999 }]],
  ["adds of two items travel together", [entry("add", { ...A, quantity: 1 }), entry("add", { asin: "B", quantity: 1 })], [true], [{ ...A, quantity: 1 }, { asin: "B", quantity: 1 }]],
  ["an offer is another line than its item", [entry("add", { ...A, quantity: 1 }), entry("add", { offerListingId: "A", quantity: 1 })], [true], [{ ...A, quantity: 1 }, { offerListingId: "A", quantity: 1 }]],
  ["the last quantity wins", [entry("set", { ...A, quantity: 2 }), entry("set", { ...A, quantity: 7 })], [true], [{ ...A, quantity: 7 }]],
  ["an area and a quantity travel together", [entry("set", { ...A, area: "saved" }), entry("set", { ...A, quantity: 7 })], [true], [{ ...A, area: "saved", quantity: 7 }]],
  ["what is removed has no area", [entry("set", { ...A, area: "saved" }), entry("set", { ...A, quantity: 0 })], [true], [{ ...A, quantity: 0 }]],
  ["another kind waits", [entry("add", { ...A, quantity: 1 }), entry("set", { ...A, quantity: 2 })], [false], [{ ...A, quantity: 1 }]],
  ["another cart waits", [entry("add", { ...A, quantity: 1 }), entry("add", { ...A, quantity: 2 }, "DE")], [false], [{ ...A, quantity: 1 }]],
  ["emptying goes by itself", [entry("clear"), entry("clear")], [false], []],
];
for (const [fact, entries, folded, items] of cases) test(`folding: ${fact}`, () => assert.deepEqual(batchOf(...entries), [folded, items]));

test("folding: the 51st line waits for the next request", () => {
  const entries = Array.from({ length: 51 }, (_, n) => entry("add", { asin: "A" + n, quantity: 1 }));
  const [folded, items] = batchOf(...entries);
  assert.equal(items.length, 50);
  assert.equal(folded.at(-1), false);
});

test("a line names its item by its first field", () => {
  assert.ok(named({ offerListingId: "o", asin: "A" })({ asin: "B", offerListingId: "o" }));
  assert.ok(!named({ asin: "A", quantity: 1 })({ asin: "B", quantity: 1 }));
});

test("a text in the storage that is not ours is nothing", () => {
  const storage = new FakeStorage();
  storage.setItem("a", "{");
  storage.setItem("b", '{"c":1}');
  assert.deepEqual(["a", "b", "none"].map((name) => readJson(storage, name)), [null, { c: 1 }, null]);
});
