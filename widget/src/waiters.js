/** Who waits for a request: told when it is no longer in the outbox, whichever tab sent it. */
/** @import { Outbox } from "./types.d.ts" */

/** @param {Outbox} outbox */
export function createWaiters(outbox) {
  /** @type {Map<string, { resolve(): void, reject(error: unknown): void }[]>} */
  const waiters = new Map();

  /** Answers those whose requests are gone. @param {unknown} [error] why, when they were refused */
  function settle(error) {
    const open = new Set(outbox.locales().flatMap((locale) => outbox.of(locale).map(({ key }) => key)));
    for (const [key, waiting] of waiters) {
      if (open.has(key)) continue;
      waiters.delete(key);
      for (const { resolve, reject } of waiting) error ? reject(error) : resolve();
    }
  }

  return {
    settle,
    /** @param {string} key @returns {Promise<void>} */
    wait: (key) =>
      new Promise((resolve, reject) => {
        waiters.set(key, [...(waiters.get(key) || []), { resolve, reject }]);
        settle();
      }),
  };
}
