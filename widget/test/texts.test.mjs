import assert from "node:assert/strict";
import { test } from "node:test";
import { textsFor } from "../src/texts.js";
import { words } from "../src/words.js";

const blocks = words.trim().split("\n\n").map((block) => block.split("\n"));
const keys = new Set(blocks.map(([key]) => key));
const placeholders = (text) => new Set(text.match(/(?<=\{)\w+(?=\})/g) || []);

for (const [key, ...texts] of blocks) {
  test(`"${key}" is said in four languages, of the same things`, () => {
    assert.equal(texts.length, 4);
    const known = new Set([...keys, ...placeholders(texts[0]), "message", "requested", "actual", "n"]);
    for (const text of texts) {
      assert.ok(text.trim());
      for (const name of placeholders(text)) assert.ok(known.has(name), `${text}: {${name}}`);
    }
  });
}

test("every text has a name of its own", () => assert.equal(keys.size, blocks.length));

for (const [lang, expected] of [["en", "en"], ["de-AT", "de"], ["FR", "fr"], ["ja-JP", "ja"], ["es", "en"], ["", "en"], ["constructor", "en"]]) {
  test(`a page in "${lang}" is served in ${expected}`, () => assert.equal(textsFor(lang).lang, expected));
}

for (const [lang, n, expected] of [["en", 1, "1 item"], ["en", 0, "0 items"], ["en", 2, "2 items"], ["fr", 0, "0 article"], ["fr", 2, "2 articles"], ["de", 1, "1 Artikel"], ["ja", 5, "5点"]]) {
  test(`${n} in ${lang} is "${expected}"`, () => assert.equal(textsFor(lang)("items", { n }), expected));
}

test("a text stands for itself in another", () => {
  assert.equal(textsFor("en")("go", { to: "Amazon.com", n: 2 }), "Continue to Amazon.com with 2 items");
  assert.equal(textsFor("de")("saved_for_later"), "Für später gemerkt: Nicht verfügbar");
});

test("in English the server's own words are used, in German ours", () => {
  const values = { message: "You asked for 5; this seller allows 3.", requested: 5, actual: 3 };
  assert.equal(textsFor("en")("quantity_capped", values), values.message);
  assert.equal(textsFor("de")("quantity_capped", values), "5 gewünscht; dieser Verkäufer erlaubt 3.");
});

test("a text nobody knows is empty, so that the server's message can stand there", () => assert.equal(textsFor("en")("new_code", { message: "New." }), ""));

test("the owner's own text wins in every language", () => {
  assert.equal(textsFor("de", { title: "Korb" })("title"), "Korb");
  assert.equal(textsFor("en", { go: "Off to {to}" })("go", { to: "Amazon.com" }), "Off to Amazon.com");
});

test("a title is put in as it is, whatever it holds", () => {
  assert.equal(textsFor("en")("removed", { title: "$& {n} <b>" }), "Removed: $& {n} <b>");
});
