/** `<ecs-cart src>`: a count button and the drawer with every cart of the shopper. */
/** @import { Note } from "../types.d.ts" */
/** @import { Site } from "../sites.js" */
/** @import { Ui } from "./views.js" */
import { emit, h, patch, takeOver } from "../dom.js";
import { addSite, siteOf, textsOf } from "../sites.js";
import { createActions } from "./actions.js";
import { drawer, toast } from "./views.js";

const TOLD_FOR = 6_000;
/** What acts on which event. @type {Record<string, string>} */
const ACTS_ON = { click: "a, button", change: "input", submit: "form" };

/** @typedef {ReturnType<typeof createCart>} CartFace what others need of a cart */

/** @param {HTMLElement} host */
function createCart(host) {
  const { root, button, control } = takeOver(host, open);
  const badge = h("span.badge", { "aria-hidden": "true" });
  const dialog = /** @type {HTMLDialogElement} */ (h("dialog.drawer", { "aria-labelledby": "title", closedby: "any" }));
  // In the top layer while there is something to tell, and so above whatever the page stacks.
  const popup = h("div.toast", { popover: "manual", role: "status" });
  const ui = /** @type {Ui & Site} */ ({ removed: new Map(), sent: "" });
  let word = "";
  let timer = /** @type {ReturnType<typeof setTimeout> | undefined} */ (undefined);
  let queued = /** @type {Promise<void> | null} */ (null);
  let named = /** @type {HTMLElement | undefined} */ (undefined);

  root.append(badge, dialog, popup);

  /** One cart of a page and site speaks for all. */
  const isFirst = () => [...ui.faces][0] == cart;

  /** Draws once for all that happens in one task. */
  const later = () => (queued ??= Promise.resolve().then(draw));

  /** "Cart, 3 items", with the author's own word for it. @param {number} n */
  function name(n) {
    const found = control();
    if (named != found) {
      named = found;
      word = found.ariaLabel || found.textContent?.trim() || ui.t("title");
    }
    found.ariaLabel = word + ", " + ui.t("items", { n });
  }

  function draw() {
    queued = null;
    const { state: store } = ui;
    const n = store.pieces();
    const focused = root.activeElement;
    const t = (ui.t = textsOf(host));
    button.textContent = t("title");
    badge.textContent = String(n || "");
    dialog.lang = popup.lang = t("lang");
    name(n);
    // Until it is opened the drawer has no content: loading a page builds nothing.
    if (dialog.open) patch(dialog, drawer(ui));
    patch(popup, !dialog.open && isFirst() && (store.busy || store.notes[0]) ? toast(ui) : []);
    popup.togglePopover(!!popup.firstChild);
    // Where an action asked, or at the title when the place that had the focus is gone.
    if (dialog.open && (ui.aim || (focused && !root.activeElement))) (root.getElementById(ui.aim) || root.getElementById("title"))?.focus();
    ui.aim = "";
  }

  function open() {
    ui.asking = "";
    ui.aim = "title";
    ui.removed.clear();
    dialog.showModal();
    dialog.scrollTop = 0;
    ui.state.drop("added"); // which draws
    ui.state.load();
    emit(host, "open");
  }

  const perform = createActions(host, ui, { view: open, close: () => dialog.close() }, added);
  for (const type in ACTS_ON) {
    root.addEventListener(type, (event) => {
      const target = /** @type {HTMLInputElement | null} */ (/** @type {Element} */ (event.target).closest("[id*=':']"));
      if (!target?.matches(ACTS_ON[type])) return;
      if (target.matches("[aria-disabled], :has([aria-disabled])")) return event.preventDefault();
      perform(target);
      later();
    });
  }
  /** Tells for a while that an item is in the cart. @param {string} title */
  function added(title) {
    clearTimeout(timer);
    timer = setTimeout(ui.state.drop, TOLD_FOR, "added");
    ui.state.say({ id: "added", name: "added", values: { title } });
  }

  dialog.onclose = () => {
    ui.state.flush();
    ui.state.drop();
    emit(host, "close");
  };

  const cart = {
    dialog,
    open,
    added,
    connect() {
      cart.disconnect();
      Object.assign(ui, siteOf(host));
      ui.faces.add(cart);
      draw();
    },
    disconnect: () => ui.faces?.delete(cart),
    /** The page is looked at again, or time went by. */
    load: () => dialog.open && !document.hidden && ui.state.load(),
    /** @param {string} type @param {{} | undefined} detail @param {Note} [note] what the page may keep from being told */
    tell(type, detail, note) {
      later();
      if (isFirst() && !emit(host, type, detail) && note) ui.state.drop(note.id);
    },
    /** The page's policy forbids the form: says so, and that nobody left. @param {SecurityPolicyViolationEvent} event */
    violated({ effectiveDirective }) {
      const locale = ui.sent.split(":").at(-2); // of the last "leave:US:0 "
      if (!locale || effectiveDirective != "form-action") return;
      ui.blocked = true;
      ui.sent = "";
      ui.state.put("handoff", locale, { outcome: "failed" });
    },
  };
  return cart;
}

export class EcsCart extends HTMLElement {
  /** One more site, of another script tag on the page. */
  static addSite = addSite;
  #cart = createCart(this);

  connectedCallback() {
    this.#cart.connect();
  }

  disconnectedCallback() {
    this.#cart.disconnect();
  }

  /** Opens the drawer and asks the server for its carts. */
  open() {
    this.#cart.open();
  }

  /** Closes the drawer; the focus returns to where it was. */
  close() {
    this.#cart.dialog.close();
  }

  /** Pieces in all carts of its site. */
  get count() {
    return siteOf(this).state.pieces();
  }
}
