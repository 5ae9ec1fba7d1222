import { createApi } from "../src/api.js";
import { createOutbox } from "../src/outbox.js";
import { createStore } from "../src/store.js";
import { memoryStorage } from "../src/sync.js";
import { fakeServer } from "./fake-server.mjs";

export const PREFIX = "ecscart:test:";
const TIMES = { fold: 15, retry: 10, retryMost: 40, poll: 10, fresh: 0 };

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
export function page(base, { storage = memoryStorage(), tab = "tab", bearer = false, locks, channel, fetch } = {}) {
  const outbox = createOutbox({ storage, prefix: PREFIX, tab });
  const api = createApi({ base, bearer, storage, prefix: PREFIX, fetch });
  const store = createStore({ api, outbox, storage, prefix: PREFIX, locks, channel, times: TIMES });
  const events = [];
  store.listen((event) => events.push(event));
  return { store, outbox, storage, events, api };
}

/** Fulfilled at the first event that fits. */
export const event = (store, fits) =>
  new Promise((found) => {
    const stop = store.listen((event) => fits(event) && (stop(), found(event)));
  });

/** A server for one test. */
export async function serving(test, options) {
  const server = await fakeServer(options);
  test.after(() => server.close());
  return server;
}
