/** The style sheet of `<ecs-cart>`. Colours follow the page's color-scheme; logical properties only. */

const css = String.raw;

/** @type {CSSStyleSheet | undefined} */
let sheet;

/** One constructable sheet for all instances: a strict Content-Security-Policy lets it through. */
export function styles() {
  if (!sheet) {
    sheet = new CSSStyleSheet();
    sheet.replaceSync(text);
  }
  return sheet;
}

const text = css`
:host {
  --_bg: var(--ecs-background, Canvas);
  --_text: var(--ecs-text, CanvasText);
  --_muted: var(--ecs-muted, color-mix(in srgb, var(--_text) 68%, var(--_bg)));
  --_line: var(--ecs-line, color-mix(in srgb, var(--_text) 15%, var(--_bg)));
  --_soft: var(--ecs-soft, color-mix(in srgb, var(--_text) 4%, var(--_bg)));
  --_accent: var(--ecs-accent, light-dark(#1a56c4, #9dbdff));
  --_on: var(--ecs-on-accent, light-dark(#fff, #0c1c3d));
  --_radius: var(--ecs-radius, .75rem);
  position: relative;
  display: inline-block;
}
:host([hidden]), :host([headless]) :is(slot, .badge) { display: none }
* { box-sizing: border-box; margin: 0; padding: 0; font: inherit; color: inherit }
ul { list-style: none }
button {
  min-block-size: 2.25rem; padding: .25rem .75rem; border: 1px solid var(--_line); border-radius: var(--_radius);
  background: none; cursor: pointer; flex: none; transition: background .15s;
}
button:hover { background: var(--_soft) }
[aria-disabled=true] { opacity: .55; cursor: default }
:focus-visible { outline: 2px solid var(--_accent); outline-offset: 2px }
.button { padding: .5rem 1rem; border-color: currentcolor }
.badge {
  position: absolute; inset: -1em -1em auto auto; inset-inline: auto -1em; min-inline-size: 1.65em; padding-inline: .4em; border: 1px solid transparent; border-radius: 1em;
  background: var(--_accent); color: var(--_on); font-size: .75em; font-weight: 650; line-height: 1.5; text-align: center; pointer-events: none;
}
.vh { position: absolute; inline-size: 1px; block-size: 1px; overflow: hidden; clip-path: inset(50%) }
.drawer, .toast {
  position: fixed; inset-inline: auto 0; color: var(--_text); background: var(--_bg); border: 0; box-shadow: 0 .5rem 3rem rgb(0 0 0 / .2);
  font-size: 1rem; font-weight: 400; line-height: 1.5; text-align: start; text-transform: none; letter-spacing: normal; white-space: normal;
}
.drawer {
  --_away: 100%;
  inset-block: 0; overflow: hidden; inline-size: min(var(--ecs-width, 27rem), 100%); max-inline-size: none; block-size: 100%; max-block-size: none;
  translate: var(--_away) 0; transition: translate .28s cubic-bezier(.2, .8, .2, 1), overlay .28s allow-discrete, display .28s allow-discrete;
}
.drawer:dir(rtl) { --_away: -100% }
.drawer[open] { display: flex; flex-direction: column; translate: 0 0 }
.drawer::backdrop { background: rgb(10 14 20 / .45) }
@starting-style {
  .drawer[open] { translate: var(--_away) 0 }
}
.header, .head, .sum, .notice { display: flex; justify-content: space-between; gap: .75rem }
.header, .notice, .row, h3 { align-items: center }
.header { padding: .875rem 1.25rem; border-block-end: 1px solid var(--_line) }
h2:focus-visible { outline: 0 }
h2 { font-size: 1.25rem; font-weight: 650 }
h3, strong { font-size: 1.125rem; font-weight: 650 }
.price, h4, .name { font-weight: 600 }
.small, h4, .link, summary, .tag { font-size: .875rem; color: var(--_muted) }
.tag { margin-inline-start: .5rem; padding: 0 .4rem; border: 1px solid var(--_line); border-radius: .4rem; font-weight: 600 }
.icon { inline-size: 2.5rem; block-size: 2.5rem; padding: 0; border: 0; border-radius: 50% }
svg { inline-size: 1.25rem; vertical-align: middle; fill: none; stroke: currentcolor; stroke-width: 2; stroke-linecap: round }
.body { flex: 1; overflow: auto; overscroll-behavior: contain; padding: 0 1.25rem 1rem }
.notice { margin-block-start: 1rem; padding: .5rem .75rem; background: var(--_soft); border-inline-start: 3px solid var(--_accent); border-radius: .375rem }
.empty { display: grid; justify-items: center; gap: 1rem; padding-block: 5rem; color: var(--_muted) }
.empty svg { inline-size: 3rem; stroke-width: 1.25 }
.section, .items, .saved, .handoff, .ask { display: grid; gap: 1rem }
.section { padding-block: 1.25rem }
.section + .section { border-block-start: 1px solid var(--_line) }
.item { display: grid; grid-template-columns: 4.5rem 1fr; gap: .25rem .875rem }
.image { grid-row: span 3; inline-size: 4.5rem; block-size: 4.5rem; object-fit: contain; border-radius: .5rem; background: var(--_line) }
img { background: #fff }
.head { flex-wrap: wrap; row-gap: 0 }
.name { flex: 1 8rem; text-decoration: none; line-height: 1.4; overflow-wrap: break-word }
.name:hover { text-decoration: underline }
.price, strong, .quantity { font-variant-numeric: tabular-nums; white-space: nowrap }
.row { display: flex; flex-wrap: wrap; gap: .25rem .875rem }
.stepper { display: flex; border: 1px solid var(--_line); border-radius: var(--_radius) }
.stepper * { inline-size: 2.25rem; padding: 0; border: 0; background: none; text-align: center; border-radius: var(--_radius) }
.link { border: 0; padding: 0; text-decoration: underline; text-decoration-color: var(--_line); text-underline-offset: .2em }
.link:hover { background: none; text-decoration-color: currentcolor }
.saved, .ask { padding: 1rem; background: var(--_soft); border-radius: var(--_radius) }
.handoff { gap: .625rem }
.as-of { margin-block-start: -.75rem }
.go, .yes { background: var(--_accent); color: var(--_on); border-color: transparent; font-weight: 600 }
.go { display: block; inline-size: 100%; padding: .75rem 1rem; border-radius: var(--_radius); text-align: center; text-decoration: none }
.go:hover, .yes:hover { background: color-mix(in srgb, var(--_accent) 85%, var(--_text)) }
summary { cursor: pointer }
.links li { padding-block: .25rem }
.toast { inset-block: auto 1rem; inset-inline-end: 1rem; max-inline-size: min(24rem, 100% - 2rem); padding: 1rem; border-radius: var(--_radius); z-index: 99999 }
.toast:empty { display: none }
.toast .row { justify-content: space-between; margin-block-start: .5rem }
@media (prefers-reduced-motion) {
  * { transition: none !important }
}
@media (forced-colors: active) {
  .drawer, .toast, .go, .yes, .notice { border: 1px solid }
  .badge { border-color: CanvasText }
}
`;
