/** Chooses the words for an element: the site owner's own, else ours in the language of the page. */
/** @import { OwnTexts } from "./types.d.ts" */
import { columns } from "./words.js";

const [names, ...languages] = columns.split("~~").map((column) => column.split("~"));

/** @typedef {Record<string, any>} Values */
/** @typedef {(name: string, values?: Values) => string} Text "" for a name that nobody has words for */

/**
 * @param {string} lang a BCP 47 tag; its language decides, English where we have no words for it
 * @param {OwnTexts} [own] by name, or by name and language ("add_de", "add_nl")
 * @returns {Text}
 */
export function textsFor(lang, own = {}) {
  const asked = lang.split("-")[0].toLowerCase();
  const texts = languages.find(([language]) => language == asked) || languages[0];
  /** @type {Text} */
  const text = (name, values = {}) => {
    const [one, other = one] = (own[name + "_" + asked] ?? own[name] ?? texts[names.indexOf(name)] ?? "").split("|");
    const isOne = values.n == 1 || (!values.n && asked == "fr");
    return (isOne ? one : other).replace(/{(\w+)}/g, (_, inner) => values[inner] ?? text(inner, values));
  };
  return text;
}
