/** What comes from outside: other tabs, the connection, leaving the page and coming back to it. */
/** @import { StorageLike } from "./types.d.ts" */
/** @import { Store } from "./store.js" */

const ORPHANS_AFTER = 11_000;

/** A storage that forgets, for browsers that refuse a real one. @returns {StorageLike} */
export function memoryStorage() {
  /** @type {Map<string, string>} */
  const items = new Map();
  return {
    get length() {
      return items.size;
    },
    key: (index) => [...items.keys()][index] ?? null,
    getItem: (key) => items.get(key) ?? null,
    setItem: (key, value) => void items.set(key, value),
    removeItem: (key) => void items.delete(key),
  };
}

/**
 * The browser's storage; in memory when it is refused or full.
 * @param {() => StorageLike} open
 * @returns {StorageLike}
 */
export function safeStorage(open) {
  try {
    const storage = open();
    const probe = "ecscart:probe";
    storage.setItem(probe, "1");
    storage.removeItem(probe);
    return storage;
  } catch {
    return memoryStorage();
  }
}

/** This tab's name, kept over reloads: its next page owns what this one left unsent. @param {StorageLike} session */
export function tabName(session, uuid = () => crypto.randomUUID()) {
  const key = "ecscart:tab";
  const name = session.getItem(key) || uuid();
  session.setItem(key, name);
  return name;
}

/**
 * Joins a store to the page's events.
 * @param {Store} store
 * @param {BroadcastChannel | undefined} channel
 */
export function join(store, channel) {
  const read = () => {
    if (store.isKnown()) store.refresh().catch(() => {});
  };
  const back = () => {
    store.flush();
    // A page on which no cart was looked at costs no request, however often its tab is.
    if (store.isLoaded()) read();
  };
  channel?.addEventListener("message", ({ data }) => data?.cart?.locale && store.heard(data.cart));
  addEventListener("storage", ({ key, newValue }) => key && store.stored(key, newValue));
  addEventListener("online", () => store.flush(true));
  addEventListener("focus", back);
  addEventListener("pageshow", ({ persisted }) => {
    if (!persisted) return;
    store.recall();
    read();
  });
  // Hidden: perhaps for good, so what is still being folded goes now.
  document.addEventListener("visibilitychange", () => (document.hidden ? store.flush() : back()));
  store.flush();
  setTimeout(() => store.flush(), ORPHANS_AFTER);
}
