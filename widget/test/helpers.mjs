import { createApi } from "../src/api.js";
import { createStore } from "../src/store.js";
import { fakeServer } from "./fake-server.mjs";

export const PREFIX = "ecscart:test:";
const TIMES = { fold: 15, retry: 10, most: 40, orphan: 60 };

/** What localStorage is to the widget: its names are its own keys. */
export class FakeStorage {
  getItem(name) {
    return Object.hasOwn(this, name) ? this[name] : null;
  }
  setItem(name, value) {
    this[name] = String(value);
  }
  removeItem(name) {
    delete this[name];
  }
}

/** Locks of one machine, as navigator.locks are: who comes later waits. */
export function fakeLocks() {
  const tails = new Map();
  return {
    request(name, work) {
      const turn = (tails.get(name) || Promise.resolve()).then(work, work);
      tails.set(name, turn);
      return turn;
    },
  };
}

/** A page: its own memory, on a storage and locks that it may share with other pages. */
export function page(base, { storage = new FakeStorage(), bearer = false, locks, fetch, ...times } = {}) {
  const events = [];
  const listeners = new Set();
  const tell = (type, detail, note) => {
    const event = { type, detail, note };
    events.push(event);
    for (const listener of listeners) listener(event);
  };
  const api = createApi({ base, bearer, storage, prefix: PREFIX, fetch });
  const store = createStore({ api, storage, prefix: PREFIX, tell, locks, ...TIMES, ...times });
  /** Fulfilled at the first event that fits. */
  const event = (fits) =>
    new Promise((found) => {
      const listener = (event) => fits(event) && (listeners.delete(listener), found(event));
      listeners.add(listener);
    });
  return { store, storage, events, event, api };
}

/** A server for one test. */
export async function serving(test, options) {
  const server = await fakeServer(options);
  test.after(() => server.close());
  return server;
}

/** Fulfilled once it holds. */
export const until = async (holds) => {
  while (!holds()) await new Promise((wake) => setTimeout(wake, 1));
};
