import { createApi } from "../src/api.js";
import { parse } from "../src/attempt.js";
import { createStore } from "../src/store.js";
import { fakeServer } from "./fake-server.mjs";

export const PREFIX = "ecscart:test:";
const TIMES = { fold: 15, retry: 10, most: 40, orphan: 60 };

/** The storage all pages of a browser share; its own keys are the names in it, JSON the values. */
export class FakeStorage {
  names() {
    return Object.keys(this);
  }
  read(name) {
    return parse(this[name]);
  }
  write(name, value) {
    this[name] = JSON.stringify(value);
  }
  erase(name) {
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
