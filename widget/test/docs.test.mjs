// docs/widget.md says what custom-elements.json says (which manifest.test.mjs compares with the code and the types).
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { words } from "../src/words.js";

const here = fileURLToPath(new URL("..", import.meta.url));
const page = await readFile(new URL("../../docs/widget.md", import.meta.url), "utf8");
const manifest = JSON.parse(await readFile(join(here, "custom-elements.json"), "utf8"));
const elements = manifest.modules.flatMap(({ declarations }) => declarations);
const [cart, button] = ["ecs-cart", "ecs-add-to-cart"].map((tag) => elements.find(({ tagName }) => tagName == tag));

/** Rows of the table under a heading whose first column is called `name`: first cell, without its marks, to the others. */
function table(heading, name) {
  const section = page.split(`\n## ${heading}\n`)[1].split("\n## ")[0];
  const lines = section.split(`| ${name} |`)[1].split("\n").slice(2);
  const rows = lines.slice(0, lines.findIndex((line) => !line.startsWith("|"))).map((line) => line.slice(2, -2).split(" | "));
  return Object.fromEntries(rows.map(([first, ...rest]) => [first.replace(/`|\(.*?\)/g, ""), rest]));
}

const names = (list) => list.map(({ name }) => name).sort();
const keys = (rows) => Object.keys(rows).sort();

for (const [element, heading] of [[button, "The button"], [cart, "The cart"]]) {
  test(`<${element.tagName}> has the attributes, members and slots of the page`, () => {
    assert.deepEqual(keys(table(heading, "attribute")), names(element.attributes));
    assert.deepEqual(keys(table(heading, "member")), names(element.members));
    assert.deepEqual(keys(table(heading, "slot")), names(element.slots));
  });
}

test("events come from the element the page says, with what it says in their detail", async () => {
  const rows = table("Events", "event");
  const types = await readFile(join(here, "ecscart.d.ts"), "utf8");
  for (const [word, element] of Object.entries({ cart, button })) {
    assert.deepEqual(Object.keys(rows).filter((name) => rows[name][0] == word).sort(), names(element.events));
  }
  assert.deepEqual(keys(rows), [...names(cart.events), ...names(button.events)].sort());
  for (const [name, [, detail]] of Object.entries(rows)) {
    const typed = types.match(new RegExp(`"${name}": CustomEvent<\\{(.*)\\}>`))?.[1];
    if (typed) for (const [, field] of typed.matchAll(/(\w+\??):/g)) assert.match(detail, new RegExp(`\\b${field.replace("?", "\\?")}`), name);
  }
});

test("what can be prevented is what the code asks about", async () => {
  const marked = Object.entries(table("Events", "event")).filter(([, [, , meaning]]) => meaning.includes("preventDefault"));
  assert.deepEqual(marked.map(([name]) => name).sort(), ["ecs:add", "ecs:error", "ecs:notice"]);
  const code = await Promise.all(["elements/cart.js", "elements/add-to-cart.js", "store.js"].map((name) => readFile(join(here, "src", name), "utf8")));
  assert.match(code.join("\n"), /if \(!emit\(this, "add"/);
  assert.match(code.join("\n"), /!emit\(host, type, detail\) && note\)/);
  const told = [...code.join("\n").matchAll(/, "(notice|error)", (?:\{|detail)/g)].map(([, name]) => "ecs:" + name);
  assert.deepEqual([...new Set(told)].sort(), ["ecs:error", "ecs:notice"]);
});

test("custom properties have the defaults the page says, and those of the style sheet", async () => {
  const rows = table("Looks", "property");
  const css = (await readFile(join(here, "src/styles.css"), "utf8")).replaceAll(/(?<=[ (])\./g, "0.");
  for (const element of elements) assert.deepEqual(keys(rows), names(element.cssProperties));
  for (const { name, default: value } of cart.cssProperties) {
    assert.equal(rows[name][0].replaceAll("`", ""), value);
    if (!value.startsWith("a mix")) assert.ok(css.includes(`var(${name}, ${value})`), `${name} is not ${value} in the style sheet`);
  }
});

test("parts are those of the page", () => {
  assert.deepEqual(keys(table("Looks", "part")), names(cart.cssParts));
});

test("every text an owner may change stands on the page", () => {
  const known = words.trim().split("\n\n").map((block) => block.split("\n"));
  const english = known.map(([name, text]) => [name, [text.replace("|", " *or* ")]]).filter(([name]) => name != "lang");
  assert.deepEqual(table("Words and languages", "name"), Object.fromEntries(english));
});

test("browsers are those the build is made for", async () => {
  const build = await readFile(join(here, "build.mjs"), "utf8");
  const [chrome, firefox, safari] = build.match(/\["chrome(\d+)", "firefox(\d+)", "safari([\d.]+)"\]/).slice(1);
  assert.ok(page.includes(`Chrome ${chrome}, Firefox ${firefox}, Safari ${safari} and newer`));
});

test("a page written in TypeScript passes the compiler, and one that misuses the elements does not", { timeout: 60_000 }, async () => {
  const declarations = join(here, "ecscart.d.ts");
  const example = page.match(/```ts\n(.*?)```/s)[1].replace("./ecscart.d.ts", declarations);
  const wrong = [
    `document.querySelector("ecs-cart")!.count = 3;`,
    `document.querySelector("ecs-add-to-cart")!.open();`,
    `document.addEventListener("ecs:added", (event) => event.detail.price);`,
    `document.addEventListener("ecs:change", (event) => event.detail.count.length);`,
  ];
  const folder = await mkdtemp(join(tmpdir(), "ecscart-"));
  try {
    await writeFile(join(folder, "right.ts"), example);
    const misuses = wrong.map((line) => `// @ts-expect-error\n${line}\n`).join("");
    await writeFile(join(folder, "wrong.ts"), `import type {} from "${declarations}";\n${misuses}`);
    const options = { strict: true, noEmit: true, allowImportingTsExtensions: true, moduleResolution: "bundler", module: "esnext", target: "es2022", lib: ["es2023", "dom"], types: [] };
    await writeFile(join(folder, "tsconfig.json"), JSON.stringify({ compilerOptions: options, files: ["right.ts", "wrong.ts"] }));
    const { stdout } = await promisify(execFile)(process.execPath, [join(here, "node_modules/typescript/bin/tsc"), "-p", folder]).catch((error) => error);
    assert.equal(stdout, "");
  } finally {
    await rm(folder, { recursive: true });
  }
});
