import assert from "node:assert/strict";
import { test } from "node:test";
import { nameOf, project } from "../src/project.js";

const item = (asin, quantity, rest) => ({ asin, quantity, title: "T" + asin, url: "", available: true, cartItemId: "c" + asin, ...rest });
const cart = (items, saved = []) => ({ locale: "US", items, saved, count: items.reduce((sum, { quantity }) => sum + quantity, 0), notices: [], pending: false, version: 1 });
const request = (kind, ...items) => ({ key: "k", locale: "US", at: 1, tab: "t", kind, items });
const lines = (list) => list.map(({ asin, quantity }) => asin + quantity).join(" ");

const cases = [
  ["nothing waiting is what the server said", [], "A2 B1", "C1", 3],
  ["an add raises what is there", [request("add", { asin: "A", quantity: 3 })], "A5 B1", "C1", 6],
  ["an add of something new stands last", [request("add", { asin: "D", quantity: 1 })], "A2 B1 D1", "C1", 4],
  ["a quantity is the new total", [request("set", { asin: "A", quantity: 7 })], "A7 B1", "C1", 8],
  ["zero removes", [request("set", { asin: "A", quantity: 0 })], "B1", "C1", 1],
  ["a line is saved for later", [request("set", { asin: "A", area: "saved" })], "B1", "C1 A2", 1],
  ["a saved line comes back", [request("set", { asin: "C", area: "active" })], "A2 B1 C1", "", 4],
  ["a CartItemId names a line", [request("set", { cartItemId: "cB", quantity: 4 })], "A2 B4", "C1", 6],
  ["a line that is gone is no error", [request("set", { asin: "X", quantity: 4 })], "A2 B1", "C1", 3],
  ["emptying takes both areas", [request("clear")], "", "", 0],
  ["after emptying an add stands alone", [request("clear"), request("add", { asin: "A", quantity: 1 })], "A1", "", 1],
];
for (const [fact, requests, items, saved, count] of cases) {
  test(`the cart shown: ${fact}`, () => {
    const view = project(cart([item("A", 2), item("B", 1)], [item("C", 1)]), "US", requests);
    assert.equal(lines(view.items), items);
    assert.equal(lines(view.saved), saved);
    assert.equal(view.count, count);
    assert.equal(view.busy, requests.length > 0);
  });
}

test("the server's cart itself is not changed", () => {
  const answered = cart([item("A", 2)]);
  project(answered, "US", [request("set", { asin: "A", quantity: 9 })]);
  assert.equal(answered.items[0].quantity, 2);
});

test("what is added again is shown as it was seen before", () => {
  const view = project(cart([]), "US", [request("add", { asin: "A", quantity: 2 })], [item("A", 1)]);
  assert.equal(view.items[0].title, "TA");
  assert.equal(view.items[0].quantity, 2);
});

test("a line is named by its ASIN, and by its CartItemId where two lines share one", () => {
  const twin = item("A", 1, { cartItemId: "c2", offerListingId: "o" });
  assert.deepEqual(nameOf(cart([item("A", 2)]), item("A", 2)), { asin: "A" });
  assert.deepEqual(nameOf(cart([item("A", 2)], [twin]), twin), { cartItemId: "c2" });
});
