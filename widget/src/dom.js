/** Elements made and brought up to date. No innerHTML anywhere, so Trusted Types have nothing to say. */
import css from "./styles.css";

/**
 * @param {string} name tag and classes, "p.note.small"; the classes are the parts too
 * @param {Record<string, unknown>} [props] attributes; none for what is falsy, "" aside
 * @param {...unknown} kids nodes and strings, in arrays or not; what is falsy is left out
 * @returns {HTMLElement}
 */
export function h(name, props, ...kids) {
  const [tag, ...classes] = name.split(".");
  const node = document.createElement(tag);
  const words = classes.join(" ") || undefined;
  for (const [key, value] of Object.entries({ class: words, part: words, ...props })) {
    if (value || value === "") node.setAttribute(key, String(value));
  }
  node.append(.../** @type {Node[]} */ (kids.flat(9).filter(Boolean)));
  return node;
}

/** @param {any} node what it is, whatever it holds */
const kind = ({ nodeName, id, className }) => nodeName + id + "." + className;

/** @param {any} old @param {any} fresh */
function update(old, fresh) {
  if (!old.attributes) return (old.data = fresh.data);
  const typed = old.value != old.defaultValue; // the shopper's, until the change is made
  for (const { name } of [...old.attributes]) if (!fresh.hasAttribute(name)) old.removeAttribute(name);
  for (const { name, value } of fresh.attributes) if (old.getAttribute(name) != value) old.setAttribute(name, value);
  if (!typed) old.value = fresh.value;
  patch(old, fresh.childNodes);
}

/**
 * Makes the children of `parent` be like `fresh`. What was there before is kept where it is the same thing,
 * so that focus, typing, scrolling, pictures and a click under way survive.
 * @param {Node} parent @param {Iterable<Node>} fresh
 */
export function patch(parent, fresh) {
  /** @type {any} */
  let next = parent.firstChild;
  /** @param {Node | null} [until] */
  const dropUntil = (until = null) => {
    while (next != until) {
      const gone = next;
      next = gone.nextSibling;
      gone.remove();
    }
  };
  for (const node of [...fresh]) {
    let found = next;
    while (found && kind(found) != kind(node)) found = found.nextSibling;
    if (found) {
      dropUntil(found);
      update(found, node);
      next = found.nextSibling;
    } else parent.insertBefore(node, next);
  }
  dropUntil();
}

/**
 * @param {EventTarget} target @param {string} name @param {unknown} [detail]
 * @returns {boolean} false when somebody prevented it
 */
export const emit = (target, name, detail) =>
  target.dispatchEvent(new CustomEvent("ecs:" + name, { detail, bubbles: true, cancelable: true }));

/** One for all elements, and constructed, so that a strict Content-Security-Policy lets it through. */
const sheet = new CSSStyleSheet();
sheet.replaceSync(css);

/**
 * Puts the author's own link or button to work in place, or one of ours where an element is left empty.
 * @param {HTMLElement} host
 * @param {() => unknown} act in place of what a click would do, unless it returns false. A click that asks for a new tab is the browser's.
 */
export function takeOver(host, act) {
  const root = host.attachShadow({ mode: "open" });
  const button = h("button.button");
  /** @param {any} node */
  const isControl = (node) => node == button || (node.matches?.("a, button") && host.contains(node));
  root.adoptedStyleSheets = [sheet];
  root.append(h("slot", {}, button));
  host.addEventListener("click", (event) => {
    if (event.defaultPrevented || event.metaKey || event.ctrlKey || event.shiftKey || !event.composedPath().some(isControl)) return;
    if (act() !== false) event.preventDefault();
  });
  // A link that acts like a button is one to assistive technology, and to the space key.
  host.addEventListener("keydown", (event) => {
    const target = /** @type {HTMLElement} */ (event.target);
    if (event.key != " " || !isControl(target)) return;
    event.preventDefault();
    target.click();
  });
  return {
    root,
    button,
    control() {
      /** @type {HTMLElement} */
      const found = host.querySelector("a, button") || button;
      found.role ??= "button";
      return found;
    },
  };
}
