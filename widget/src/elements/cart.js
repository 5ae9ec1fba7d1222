/** `<ecs-cart>`: a count button and the drawer with every cart of the shopper. */
/** @import { StoreEvent } from "../types.d.ts" */
/** @import { Store } from "../store.js" */
import { actAsButton, emit, h, isPlain, langOf, render } from "../dom.js";
import { styles } from "../styles.js";
import { textsFor } from "../texts.js";
import { createUi } from "./drawer.js";
import { drawer, toast } from "./views.js";

const TOAST_FOR = 6_000;
const REFRESH_EVERY = 300_000;

/** @typedef {{ toast(text: string, stays?: boolean): void, added(text: string): void, open(): void }} CartFace what the buttons need of a cart */
/** @typedef {{ store: Store, base: string, locale: string, carts: Set<CartFace> }} Context */
/** @typedef {CartFace & { connect(): void, disconnect(): void, shut(): void }} Controller */

/** @param {HTMLElement} host @param {Context} context @returns {Controller} */
function createCart(host, { store, base, carts }) {
  const root = host.attachShadow({ mode: "open" });
  root.adoptedStyleSheets = [styles()];
  let [opened, openedOnAdd, queued, sticky] = [false, false, false, false];
  let [focus, saying] = ["", ""];
  let said = 0;
  /** @type {string[]} */
  let toasts = [];
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let timer;
  /** @type {ReturnType<typeof setInterval> | undefined} */
  let clock;
  /** @type {() => void} */
  let stop;
  /** @type {EventTarget | null} */
  let pressed;
  /** @type {WeakMap<Element, string | null>} */
  const labels = new WeakMap();

  const dialog = () => root.querySelector("dialog");
  const isOpen = () => !!dialog()?.open;
  /** One cart of the page speaks for all. */
  const isFirst = () => carts.values().next().value == cart;
  /** The author's link or button, or ours where there is none. */
  const control = () => /** @type {HTMLElement} */ (host.querySelector("a, button") || root.querySelector(".button"));

  const ui = createUi({
    host,
    store,
    base,
    say,
    load,
    later,
    shut: () => dialog()?.close(),
    aim: (place) => (focus = place),
  });

  /** @param {string} text for those who cannot see it happen */
  function say(text) {
    said++;
    saying = text;
    later();
  }

  /** @param {boolean} [force] */
  async function load(force) {
    ui.unreachable = await store.refresh(force).then(() => false, () => true);
    later();
  }

  /** Draws once for all that happens in one task. */
  function later() {
    if (!queued) queueMicrotask(draw);
    queued = true;
  }

  /** @param {StoreEvent} event */
  function heard(event) {
    const { type, locale } = event;
    /** @type {(text: string, stays?: boolean) => void} */
    const show = (text, stays) => isFirst() && !isOpen() && cart.toast(text, stays);
    if (type == "change") {
      if (!store.isBusy()) ui.waiting = false;
      if (isFirst()) queueMicrotask(() => emit(host, "change", { locale, count: store.count() }));
    } else if (type == "notice") {
      if (!isFirst() || emit(host, "notice", { locale, notice: event.notice }, true)) show(event.notice.message, true);
    } else {
      const { code, status, message: detail } = event.error;
      const retrying = type == "waiting";
      if (isFirst()) emit(host, "error", { locale, code, status, detail, retrying });
      const text = ui.t(retrying ? "waiting" : "failed", { detail });
      if (!retrying) ui.notes.push({ key: "error" + ++said, text });
      if (!retrying || !ui.waiting) show(text, !retrying);
      ui.waiting ||= retrying;
    }
    later();
  }

  function closed() {
    clearInterval(clock);
    ui.removed.clear();
    ui.asking.clear();
    store.flush();
    later();
    emit(host, "close", {});
  }

  function fade() {
    if (root.querySelector(".toast:is(:hover, :focus-within)")) timer = setTimeout(fade, TOAST_FOR);
    else hush();
  }
  function hush() {
    toasts = [];
    sticky = false;
    later();
  }

  /** The page behind an open drawer is inert, so each has a live region. @param {boolean} inside */
  const saidView = (inside) => h("p.vh", { role: "status", lang: ui.t.lang }, inside == isOpen() && h("span", { key: said }, saying));

  const dialogView = () =>
    h(
      "dialog.drawer",
      {
        lang: ui.t.lang,
        "aria-labelledby": "title",
        onclose: closed,
        /** @param {Event} event */
        onpointerdown: ({ target }) => (pressed = target),
        /** @param {Event} event */
        onclick: ({ target }) => target == dialog() && pressed == target && ui.shut(),
      },
      // Until it is opened the drawer has no content: loading a page builds nothing.
      opened && drawer(ui),
      saidView(true),
    );

  function draw() {
    queued = false;
    const focused = root.activeElement;
    const n = store.count();
    const t = (ui.t = textsFor(langOf(host)));
    const popup = h("div.toast", { popover: "manual", lang: t.lang }, toast(ui, toasts, cart.open, hush));
    const badge = n && h("span.badge", { "aria-hidden": "true" }, String(n));
    render(root, h("", {}, h("slot", {}, h("button.button", {}, t("cart"))), badge, dialogView(), popup, saidView(false)).kids);
    name(n);
    const pop = /** @type {HTMLElement} */ (root.querySelector(".toast"));
    if (pop.popover && pop.matches(":popover-open") != !!toasts.length) pop.togglePopover();
    if (!isOpen()) return;
    // Where an action asked, or at the title when the place that had it is gone.
    const aim = focus || (focused && !root.activeElement ? "title" : "");
    /** @type {HTMLElement | null} */ (root.querySelector(`[data-f="${CSS.escape(aim)}"]`))?.focus();
    focus = "";
  }

  /** "Cart, 3 items", with the author's own word for it. @param {number} n */
  function name(n) {
    const found = control();
    if (!labels.has(found)) {
      labels.set(found, found.getAttribute("aria-label"));
      actAsButton(found);
      found.setAttribute("aria-haspopup", "dialog");
    }
    const word = labels.get(found) || found.textContent?.trim() || ui.t("cart");
    found.setAttribute("aria-label", word + ", " + ui.t("items", { n }));
  }

  host.addEventListener("click", (event) => {
    if (event.defaultPrevented || !isPlain(event) || !event.composedPath().includes(control())) return;
    event.preventDefault();
    cart.open();
  });

  /** @type {Controller} */
  const cart = {
    shut: ui.shut,
    connect() {
      carts.add(cart);
      stop = store.listen(heard);
      draw();
    },
    disconnect() {
      carts.delete(cart);
      stop();
      clearInterval(clock);
    },
    open() {
      if (isOpen()) return;
      opened = true;
      saying = "";
      toasts = [];
      draw();
      dialog()?.showModal();
      clock = setInterval(() => document.hidden || load(), REFRESH_EVERY);
      void load(true);
      emit(host, "open", {});
    },
    toast(text, stays) {
      say(text);
      if (isOpen()) return;
      toasts = [...toasts.filter((old) => sticky && old != text).slice(-2), text];
      sticky ||= !!stays;
      clearTimeout(timer);
      if (!sticky) timer = setTimeout(fade, TOAST_FOR);
    },
    added(text) {
      const when = host.getAttribute("open-on-add");
      if (when == "always" || (when == "first" && !openedOnAdd)) cart.open();
      openedOnAdd = true;
      cart.toast(text);
    },
  };
  return cart;
}

/** @param {Context} context @returns {CustomElementConstructor} */
export const cartElement = (context) =>
  class extends HTMLElement {
    #cart = createCart(this, context);

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
      this.#cart.shut();
    }

    /** Pieces in all carts. */
    get count() {
      return context.store.count();
    }
  };
