import assert from "node:assert/strict";
import { test } from "node:test";
import { textsFor } from "../src/texts.js";
import { columns, words } from "../src/words.js";

const blocks = words.trim().split("\n\n").map((block) => block.split("\n"));
const keys = new Set(blocks.map(([key]) => key));
const placeholders = (text) => new Set(text.match(/(?<=\{)\w+(?=\})/g) || []);

for (const [key, ...texts] of blocks) {
  test(`"${key}" is said in four languages, of the same things`, () => {
    assert.equal(texts.length, 4);
    const known = new Set([...keys, ...placeholders(texts[0]), "detail", "n"]);
    for (const text of texts) {
      assert.ok(text.trim());
      for (const name of placeholders(text)) assert.ok(known.has(name), `${text}: {${name}}`);
    }
  });
}

test("every text has a name of its own", () => assert.equal(keys.size, blocks.length));

for (const [lang, expected] of [["en", "en"], ["de-AT", "de"], ["FR", "fr"], ["ja-JP", "ja"], ["es", "en"], ["", "en"], ["constructor", "en"]]) {
  test(`a page in "${lang}" is served in ${expected}`, () => assert.equal(textsFor(lang)("lang"), expected));
}

for (const [lang, n, expected] of [["en", 1, "1 item"], ["en", 0, "0 items"], ["en", 2, "2 items"], ["fr", 0, "0 article"], ["fr", 2, "2 articles"], ["de", 1, "1 Artikel"], ["ja", 5, "5点"]]) {
  test(`${n} in ${lang} is "${expected}"`, () => assert.equal(textsFor(lang)("items", { n }), expected));
}

test("a text stands for itself in another", () => {
  assert.equal(textsFor("en")("go", { to: "Amazon.com", n: 2 }), "Continue to Amazon.com with 2 items");
  assert.equal(textsFor("de")("move"), "In den Warenkorb");
});

test("a text nobody knows is empty", () => assert.equal(textsFor("en")("new_code"), ""));

test("the owner's own text for a language goes before one for all, in any language", () => {
  const own = { add: "Pop it in", add_de: "Rein damit", add_nl: "Erin ermee", items: "{n} thing|{n} things" };
  assert.deepEqual(["en", "de-CH", "nl", "fr"].map((lang) => textsFor(lang, own)("add")), ["Pop it in", "Rein damit", "Erin ermee", "Pop it in"]);
  assert.equal(textsFor("en", own)("go", { to: "Amazon.com", n: 1 }), "Continue to Amazon.com with 1 thing");
});

test("what the build sends is the table by column", () => {
  const sent = columns.split("~~").map((column) => column.split("~"));
  assert.deepEqual(sent[0].map((_, row) => sent.map((column) => column[row])), blocks);
});

test("the owner's own text wins in every language", () => {
  assert.equal(textsFor("de", { title: "Korb" })("title"), "Korb");
  assert.equal(textsFor("en", { go: "Off to {to}" })("go", { to: "Amazon.com" }), "Off to Amazon.com");
});

test("a title is put in as it is, whatever it holds", () => {
  assert.equal(textsFor("en")("removed", { title: "$& {n} <b>" }), "Removed: $& {n} <b>");
});
