/** The script tag's own file: finds its base address and settings, wires the parts, leaves no globals. */
/** @import { CartFace } from "./elements/cart.js" */
import { createApi } from "./api.js";
import { define } from "./define.js";
import { createOutbox } from "./outbox.js";
import { createStore } from "./store.js";
import { join, safeStorage, tabName } from "./sync.js";

const here = import.meta.url;
const base = new URL(".", here).href.slice(0, -1);
const prefix = `ecscart:${base}:`;
const bearer = new URL(base).origin != location.origin;
// A module has no document.currentScript: the tag is known by its address.
const tag = [...document.scripts].find(({ src }) => src == here);

const storage = safeStorage(() => localStorage);
const channel = "BroadcastChannel" in globalThis ? new BroadcastChannel(prefix) : undefined;
const outbox = createOutbox({ storage, prefix, tab: tabName(safeStorage(() => sessionStorage)) });
const store = createStore({
  api: createApi({ base, bearer, storage, prefix }),
  outbox,
  storage,
  prefix,
  channel,
  locks: navigator.locks && { request: (name, work) => navigator.locks.request(name, work) },
});

/** @type {Set<CartFace>} */
const carts = new Set();
define({ store, base, carts, locale: tag?.dataset.locale || "US" });
join(store, channel);
