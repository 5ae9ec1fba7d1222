import assert from "node:assert/strict";
import { test } from "node:test";
import { createStorage } from "../src/storage.js";

/** A page whose localStorage is this. */
function browserWith(t, get) {
  Object.defineProperty(globalThis, "localStorage", { configurable: true, get });
  t.after(() => delete globalThis.localStorage);
  return createStorage();
}

/** A Storage that takes so many names: they are its own keys, as in a browser. */
class Shared {
  #room;
  constructor(room) {
    this.#room = room;
  }
  getItem(name) {
    return this[name] ?? null;
  }
  setItem(name, value) {
    if (!(name in this) && Object.keys(this).length >= this.#room) throw new DOMException("full", "QuotaExceededError");
    this[name] = value;
  }
  removeItem(name) {
    delete this[name];
  }
}

test("values are shared with other pages as JSON", (t) => {
  const shared = new Shared(9);
  const storage = browserWith(t, () => shared);
  storage.write("a", { b: 1 });
  assert.equal(shared.a, '{"b":1}');
  assert.deepEqual([storage.read("a"), storage.names()], [{ b: 1 }, ["a"]]);
  storage.erase("a");
  assert.deepEqual([storage.read("a"), storage.names()], [null, []]);
});

test("where a browser forbids its storage the page keeps it itself", (t) => {
  const storage = browserWith(t, () => {
    throw new DOMException("forbidden", "SecurityError");
  });
  storage.write("a", 1);
  assert.deepEqual([storage.read("a"), storage.names()], [1, ["a"]]);
  storage.erase("a");
  assert.deepEqual(storage.names(), []);
});

test("what no longer fits is kept by the page, once, and the newest value counts", (t) => {
  const shared = new Shared(1);
  const storage = browserWith(t, () => shared);
  storage.write("a", 1);
  storage.write("b", 2);
  assert.deepEqual([storage.read("a"), storage.read("b"), storage.names(), Object.keys(shared)], [1, 2, ["a", "b"], ["a"]]);
  storage.erase("a");
  storage.write("b", 3);
  assert.deepEqual([storage.read("b"), storage.names(), shared.b], [3, ["b"], "3"]);
});

test("what is no JSON is nothing", (t) => {
  const shared = Object.assign(new Shared(9), { a: "{" });
  assert.equal(browserWith(t, () => shared).read("a"), undefined);
});
