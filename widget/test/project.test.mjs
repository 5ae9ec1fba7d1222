import assert from "node:assert/strict";
import { test } from "node:test";
import { project } from "../src/project.js";

const item = (asin, quantity, rest) => ({ asin, title: "T" + asin, url: "", quantity, available: true, cartItemId: "c" + asin, ...rest });
const cart = (items, saved = []) => ({ locale: "US", store: "Amazon.com", items, saved, pending: false, notices: [] });
const lines = (items) => items.map(({ asin, offerListingId, quantity }) => (offerListingId || asin) + quantity).join(" ");
const did = (kind, line, locale = "US") => ({ kind, locale, line });
const COUNT = 3;

const cases = [
  ["nothing waits", [], "A2 B1", "C1", 3],
  ["an add counts up", [did("add", { asin: "A", quantity: 3 })], "A5 B1", "C1", 6],
  ["a new item stands last", [did("add", { asin: "X", quantity: 1 })], "A2 B1 X1", "C1", 4],
  ["a quantity is set", [did("set", { asin: "A", quantity: 7 })], "A7 B1", "C1", 8],
  ["nought removes", [did("set", { asin: "A", quantity: 0 })], "B1", "C1", 1],
  ["a line is saved for later", [did("set", { asin: "A", area: "saved" })], "B1", "C1 A2", 1],
  ["a saved line comes back", [did("set", { asin: "C", area: "active" })], "A2 B1 C1", "", 4],
  ["a line that is gone is no error", [did("set", { asin: "X", quantity: 4 })], "A2 B1", "C1", 3],
  ["emptying takes both areas", [did("clear")], "", "", 0],
  ["after emptying an add stands alone", [did("clear"), did("add", { asin: "A", quantity: 1 })], "A1", "", 1],
  ["order counts", [did("add", { asin: "X", quantity: 1 }), did("set", { asin: "X", quantity: 5 })], "A2 B1 X5", "C1", 8],
  ["another cart's changes are not shown here", [did("add", { asin: "A", quantity: 3 }, "DE")], "A2 B1", "C1", 3],
];
for (const [fact, entries, items, saved, count] of cases) {
  test(`the cart shown: ${fact}`, () => {
    const view = project(cart([item("A", 2), item("B", 1)], [item("C", 1)]), "US", entries, {}, COUNT);
    assert.equal(lines(view.items), items);
    assert.equal(lines(view.saved), saved);
    assert.equal(view.count, count);
    assert.equal(view.pending, entries.some(({ locale }) => locale == "US"));
  });
}

test("the server's cart itself is not changed", () => {
  const answered = cart([item("A", 2)]);
  project(answered, "US", [did("set", { asin: "A", quantity: 9 })], {}, 2);
  assert.equal(answered.items[0].quantity, 2);
});

test("before the cart is known its pieces are, and adds count up", () => {
  assert.equal(project(undefined, "US", [did("add", { asin: "A", quantity: 2 })], {}, 5).count, 7);
});

test("pieces another tab knows of count before its cart is read", () => {
  assert.equal(project(cart([item("A", 2)]), "US", [], {}, 5).count, 5);
});

test("what is added again is shown as it was seen before", () => {
  const view = project(cart([]), "US", [did("add", { asin: "A", quantity: 2 })], { USA: item("A", 1) }, 0);
  assert.deepEqual([view.items[0].title, view.items[0].quantity], ["TA", 2]);
});

test("two sellers' lines of one item are changed apart", () => {
  const two = cart([item("A", 2), item("A", 3, { offerListingId: "o" })]);
  const changed = (line) => lines(project(two, "US", [did("set", line)]).items);
  assert.equal(changed({ offerListingId: "o", quantity: 7 }), "A2 o7");
  assert.equal(changed({ asin: "A", quantity: 7 }), "A7 o3");
});
