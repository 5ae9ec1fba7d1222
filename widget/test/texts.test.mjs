import assert from "node:assert/strict";
import { test } from "node:test";
import { textsFor } from "../src/texts.js";
import { languages } from "../src/words.js";

const placeholders = (text) => [...new Set(text.match(/\{\w+\}/g) || [])].sort().join();

for (const language of Object.keys(languages)) {
  test(`${language} says everything English says, with the same placeholders`, () => {
    for (const [key, text] of Object.entries(languages.en)) {
      const translated = languages[language][key];
      assert.ok(translated, key);
      assert.ok(!translated.includes("\n"), key);
      for (const name of placeholders(translated).split(",")) assert.ok(placeholders(text).includes(name), `${key}: ${name}`);
    }
    assert.deepEqual(Object.keys(languages[language]).sort(), Object.keys(languages.en).sort());
  });
}

for (const [lang, expected] of [["en", "en"], ["de-AT", "de"], ["FR", "fr"], ["ja-JP", "ja"], ["es", "en"], ["", "en"], ["constructor", "en"]]) {
  test(`a page in "${lang}" is served in ${expected}`, () => assert.equal(textsFor(lang).lang, expected));
}

for (const [lang, n, expected] of [["en", 1, "1 item"], ["en", 0, "0 items"], ["en", 2, "2 items"], ["fr", 0, "0 article"], ["fr", 2, "2 articles"], ["de", 1, "1 Artikel"], ["ja", 1, "1点"], ["ja", 5, "5点"]]) {
  test(`${n} in ${lang} is "${expected}"`, () => assert.equal(textsFor(lang)("items", { n }), expected));
}

test("a title is put in as it is, whatever it holds", () => {
  assert.equal(textsFor("en")("removed", { title: "$& {n} <b>" }), "Removed: $& {n} <b>");
});
