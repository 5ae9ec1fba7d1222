/** How a cart leaves: the shopper's own click on a form or link that names the retailer. */
/** @import { Handoff, HandoffPart, View } from "../types.d.ts" */
/** @import { Ui } from "./views.js" */
import { h, safeUrl } from "../dom.js";

/** For every link out. Never noreferrer: the retailer has to know where the shopper comes from. */
export const OUT = { target: "_blank", rel: "sponsored nofollow noopener" };

/** @param {boolean | undefined} off @returns {Record<string, unknown>} a disabled button keeps the focus */
export const disabled = (off) => ({ "aria-disabled": off && "true" });

/** @param {Ui} ui @param {View} view @param {Handoff} handoff @param {HandoffPart} part @param {number} index */
function way(ui, view, { retailer: to, mode, parts }, part, index) {
  const { t } = ui;
  const { busy, locale } = view;
  const many = parts.length > 1;
  const where = { i: index + 1, k: parts.length, n: many ? part.count : view.count, to };
  const label = t(busy ? "updating" : many ? "part" : "go", where);
  /** @param {Event} event */
  const leave = (event) => {
    if (busy) return event.preventDefault();
    ui.sentParts.add(locale + index);
    ui.leave(view, index);
  };
  const action = safeUrl(part.action, ui.base);
  const fields = Object.entries(part.fields);
  // Without fields a link does, which no form-action policy of the page can stop.
  const asForm = fields.length || mode == "form";
  return [
    many && ui.sentParts.has(locale + index) && h("p.small", { key: "sent" + index }, "✓ " + t("partSent", where)),
    asForm
      ? h(
          "form",
          { key: index, method: "get", action, ...OUT, onsubmit: leave },
          fields.map(([name, value]) => h("input", { key: name, type: "hidden", name, value })),
          h("button.go", { type: "submit", ...disabled(busy) }, label),
        )
      : h("a.go", { key: index, href: action, ...OUT, ...disabled(busy), onclick: leave }, label),
  ];
}

/** The tagged product links: a way out that cannot break. @param {Ui} ui @param {Handoff} handoff */
function links({ t, base }, { links: all, retailer: to, mode }) {
  const list = h(
    "ul",
    {},
    all.map(({ url, title, quantity, asin }) => h("li", { key: asin + url }, h("a", { href: safeUrl(url, base), ...OUT }, title || asin, quantity > 1 && ` × ${quantity}`))),
  );
  const text = t("links", { to });
  return all.length && (mode == "links" ? h("div.links", {}, h("p.small", {}, text), list) : h("details.links", {}, h("summary", {}, text), list));
}

/** "Did your items arrive?" @param {Ui} ui @param {View} view @param {Handoff} handoff */
function question({ t, answer }, { locale, busy }, { leftCount, retailer }) {
  const id = "asked-" + locale;
  /** @param {"arrived" | "failed"} outcome */
  const props = (outcome) => ({ ...disabled(busy), onclick: () => busy || answer(locale, outcome) });
  return h(
    "div.ask",
    { role: "group", "aria-labelledby": id },
    h("p", { id }, t("asked", { n: leftCount, to: retailer })),
    h("div.row", {}, h("button.yes", props("arrived"), t("yes")), h("button.no", props("failed"), t("no"))),
  );
}

/** @param {Ui} ui @param {View} view */
export function handoffView(ui, view) {
  const { handoff } = view;
  if (!handoff || handoff.mode == "off") return false;
  const { leftAt, parts, mode, disclosure, disclaimer } = handoff;
  const leaves = view.items.length && mode != "links" && (!leftAt || parts.length > 1);
  return h(
    "div.handoff",
    {},
    leftAt && question(ui, view, handoff),
    leaves && parts.map((part, index) => way(ui, view, handoff, part, index)),
    view.items.length && links(ui, handoff),
    disclosure && h("p.disclosure.small", {}, disclosure),
    disclaimer && h("p.disclaimer.small", {}, disclaimer),
  );
}
