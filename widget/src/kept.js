/** What outlives the page besides the outbox: whether there is a shopper, how many pieces, which notices were told. */
/** @import { StorageLike } from "./types.d.ts" */

/** @typedef {{ known: boolean, counts: Record<string, number>, told: Record<string, number> }} Kept by locale */

/**
 * @param {StorageLike} storage
 * @param {string} prefix of our keys in the storage
 * @returns {{ kept: Kept, save(): void, recall(): void }} `kept` is changed in place
 */
export function createKept(storage, prefix) {
  const key = prefix + "state";
  /** @type {Kept} */
  const kept = { known: false, counts: {}, told: {} };
  const recall = () => {
    try {
      const { known, counts, told } = JSON.parse(storage.getItem(key) || "{}");
      Object.assign(kept, { known: !!known, counts: { ...counts }, told: { ...told } });
    } catch {
      /* Someone else's text under our key: go on without it. */
    }
  };
  recall();
  return { kept, recall, save: () => storage.setItem(key, JSON.stringify(kept)) };
}

/** @param {Record<string, number>} counts */
export const sum = (counts) => Object.values(counts).reduce((all, count) => all + count, 0);
