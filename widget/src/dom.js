/** Virtual nodes, patched in place so that focus, typing and scrolling survive. No innerHTML anywhere. */
/** @import { VChild, VNode } from "./types.d.ts" */

const SVG = "http://www.w3.org/2000/svg";
/** @type {WeakMap<Node, VNode>} */
const made = new WeakMap();
/** Fields the shopper is typing in: their value is the shopper's until the change is made. @type {WeakSet<Element>} */
export const typing = new WeakSet();

/**
 * @param {string} name tag and classes, "p.note.small"; the first class is the `key` and all of them are the parts
 * @param {Record<string, unknown>} [props] attributes; `on…` functions; `key` among siblings; `value` of fields
 * @param {...unknown} kids
 * @returns {VNode}
 */
export const h = (name, { key, ...props } = {}, ...kids) => {
  const [tag, ...classes] = name.split(".");
  const words = classes.join(" ");
  if (words) props = { class: words, part: words, ...props };
  if (tag == "button") props = { type: "button", ...props };
  return { tag, key: key ?? words, props, kids: /** @type {VChild[]} */ (kids.flat(9).filter(Boolean)) };
};

/** @param {Element} node @param {string} name @param {unknown} value */
function setProp(node, name, value) {
  // What a handler returns is nothing: `false` would prevent the default.
  if (name.startsWith("on")) /** @type {any} */ (node)[name] = typeof value == "function" ? (/** @type {Event} */ event) => void value(event) : null;
  else if (value == null || value === false) node.removeAttribute(name);
  else node.setAttribute(name, value === true ? "" : String(value));
}

/** @param {Element} node @param {VNode} vnode */
function update(node, vnode) {
  const before = made.get(node)?.props || {};
  for (const name of Object.keys(before)) if (!(name in vnode.props)) setProp(node, name, null);
  for (const [name, value] of Object.entries(vnode.props)) {
    if (before[name] === value) continue;
    setProp(node, name, value);
    if (name == "value" && !typing.has(node)) /** @type {HTMLInputElement} */ (node).value = String(value);
  }
  made.set(node, vnode);
  render(node, vnode.kids);
}

/** @param {Node} node @param {VChild} child */
const same = (node, child) => {
  const vnode = made.get(node);
  return typeof child == "string" ? node.nodeType == 3 : vnode?.tag == child.tag && vnode.key == child.key;
};

/** @param {VChild} child @param {Node} parent @returns {ChildNode} */
const create = (child, parent) =>
  typeof child == "string"
    ? document.createTextNode(child)
    : child.tag == "svg" || /** @type {Element} */ (parent).namespaceURI == SVG
      ? document.createElementNS(SVG, child.tag)
      : document.createElement(child.tag);

/**
 * Makes the children of `parent` be `list`.
 * @param {Node} parent @param {VChild[]} list
 */
export function render(parent, list) {
  const free = new Set(parent.childNodes);
  const nodes = list.map((child) => {
    for (const node of free) {
      if (!same(node, child)) continue;
      free.delete(node);
      return node;
    }
    return create(child, parent);
  });
  for (const node of free) node.remove();
  let cursor = parent.firstChild;
  nodes.forEach((node, index) => {
    const child = list[index];
    // Kept nodes stay where they are: a moved one would lose the focus.
    if (node == cursor) cursor = cursor.nextSibling;
    else parent.insertBefore(node, cursor);
    if (typeof child != "string") update(/** @type {Element} */ (node), child);
    else if (node.nodeValue != child) node.nodeValue = child;
  });
}

/** A link or address from the wire, if it is one to follow. @param {string | null | undefined} url @param {string} [base] */
export function safeUrl(url, base) {
  try {
    const found = new URL(url || "", base);
    return /^https?:$/.test(found.protocol) && url ? found.href : undefined;
  } catch {
    return undefined;
  }
}

/**
 * @param {EventTarget} target @param {string} name @param {unknown} detail @param {boolean} [cancelable]
 * @returns {boolean} false when somebody prevented it
 */
export const emit = (target, name, detail, cancelable = false) =>
  target.dispatchEvent(new CustomEvent("ecs:" + name, { detail, bubbles: true, composed: true, cancelable }));

/** A click that asks for a new tab or window is the browser's. @param {MouseEvent} event */
export const isPlain = (event) => !(event.button || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey);

/**
 * Makes the author's link a button to assistive technology and to the space key, as it acts like one.
 * @param {HTMLElement} control
 */
export function actAsButton(control) {
  if (control.tagName != "A" || control.hasAttribute("role")) return;
  control.setAttribute("role", "button");
  control.addEventListener("keydown", (event) => {
    if (event.key != " ") return;
    event.preventDefault();
    control.click();
  });
}

/** The language that holds where an element stands, out of shadow roots too. @param {Element} element @returns {string} */
export function langOf(element) {
  const found = element.closest("[lang]");
  const root = element.getRootNode();
  if (found || !(root instanceof ShadowRoot)) return found?.getAttribute("lang") || "en";
  return langOf(root.host);
}
