/** Chooses the words for an element: the site owner's own, else ours in the language of the page. */
/** @import { OwnTexts } from "./types.d.ts" */
import { words } from "./words.js";

const LANGUAGES = ["en", "de", "fr", "ja"];

/** @type {Record<string, string[]>} by key, in the order of LANGUAGES */
const table = Object.fromEntries(
  words.trim().split("\n\n").map((block) => {
    const [key, ...texts] = block.split("\n");
    return [key, texts];
  }),
);

/** @typedef {Record<string, string | number | undefined>} Values */
/** @typedef {((key: string, values?: Values) => string) & { lang: string }} Text "" for a key that nobody has words for */

/**
 * @param {string} lang a BCP 47 tag; its language decides, English where we have no words for it
 * @param {OwnTexts} [own]
 * @returns {Text}
 */
export function textsFor(lang, own = {}) {
  const asked = lang.split("-")[0].toLowerCase();
  const index = Math.max(LANGUAGES.indexOf(asked), 0);
  /** @type {(key: string, values?: Values) => string} */
  const text = (key, values = {}) => {
    const [one, other = one] = (own[key] ?? table[key]?.[index] ?? "").split("|");
    const isOne = values.n == 1 || (!values.n && asked == "fr");
    return (isOne ? one : other).replace(/{(\w+)}/g, (_, name) => String(values[name] ?? text(name, values)));
  };
  return Object.assign(text, { lang: LANGUAGES[index] });
}
