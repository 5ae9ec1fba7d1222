import assert from "node:assert/strict";
import { test } from "node:test";
import { fold, keyOf, lineOf, same } from "../src/outbox.js";

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
  ["an offer is another line than its item", [entry("add", { ...A, quantity: 1 }), entry("add", { offerListingId: "o", quantity: 1 })], [true], [{ ...A, quantity: 1 }, { offerListingId: "o", quantity: 1 }]],
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

test("a line is the same by its offer, else by its ASIN", () => {
  assert.ok(same({ offerListingId: "o" })({ asin: "B", offerListingId: "o" }));
  assert.ok(!same({ asin: "B" })({ asin: "B", offerListingId: "o" }));
  assert.ok(!same({ asin: "A", quantity: 1 })({ asin: "B", quantity: 1 }));
  assert.deepEqual([keyOf({ asin: "A" }), keyOf({ asin: "A", offerListingId: "o" })], ["A", "o"]);
});

test("an offer is named by its listing, an item by its ASIN", () => {
  const item = { asin: "A", quantity: 2, title: "T" };
  assert.deepEqual(lineOf(item, { quantity: 2 }), { asin: "A", quantity: 2 });
  assert.deepEqual(lineOf({ ...item, offerListingId: "o" }, { area: "saved" }), { offerListingId: "o", area: "saved" });
});
