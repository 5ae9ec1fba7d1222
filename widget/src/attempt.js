/** What may go wrong, and what is made of it. */

/** @template T @param {() => T} work @returns {T | undefined} what it gives; undefined where it throws */
export function attempt(work) {
  try {
    return work();
  } catch {
    return undefined;
  }
}

/** @param {string | null} [text] @returns {any} undefined where it is no JSON */
export const parse = (text) => attempt(() => JSON.parse(/** @type {string} */ (text)));

/** An address from the wire, if it is one to follow. @param {string | null | undefined} url @param {string} base */
export const safeUrl = (url, base) => attempt(() => new URL(url || "x:", base).href.match(/^http.*/)?.[0]);
