/** What is kept on the shopper's machine, shared by all tabs of an origin. Values are JSON. */
/** @import { StorageLike } from "./types.d.ts" */
import { attempt, parse } from "./attempt.js";

/**
 * What the browser's storage does not take (it is full, switched off or forbidden) is kept as long as the page.
 * @returns {StorageLike}
 */
export function createStorage() {
  /** @type {Record<string, string>} */
  const own = {};
  return {
    names: () => [...(attempt(() => Object.keys(localStorage)) || []), ...Object.keys(own)],
    read: (name) => parse(own[name] ?? attempt(() => localStorage.getItem(name))),
    write(name, value) {
      own[name] = JSON.stringify(value);
      attempt(() => {
        localStorage.setItem(name, own[name]);
        delete own[name];
      });
    },
    erase(name) {
      delete own[name];
      attempt(() => localStorage.removeItem(name));
    },
  };
}
