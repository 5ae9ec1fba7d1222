/** Chooses the words for an element by the language of the page. */
/** @import { TextKey } from "./words.js" */
import { languages } from "./words.js";

/** @typedef {((key: TextKey, values?: Record<string, string | number>) => string) & { lang: string }} Text */

/**
 * @param {string} lang a BCP 47 tag; its language decides, English where we have no words for it
 * @returns {Text}
 */
export function textsFor(lang) {
  const asked = lang.toLowerCase().split("-")[0];
  const language = Object.hasOwn(languages, asked) ? asked : "en";
  const texts = languages[language];
  /** @type {(key: TextKey, values?: Record<string, string | number>) => string} */
  const text = (key, values = {}) => {
    const forms = texts[key].split("|");
    const one = values.n == 1 || (language == "fr" && values.n == 0);
    return forms[one ? 0 : forms.length - 1].replace(/\{(\w+)\}/g, (_, name) => String(values[name] ?? ""));
  };
  return Object.assign(text, { lang: language });
}
