// custom-elements.json, ecscart.d.ts and the code say the same.
import assert from "node:assert/strict";
import { readFile, readdir } from "node:fs/promises";
import { test } from "node:test";
import { PRIVATE } from "../private.mjs";

const here = new URL("..", import.meta.url);
const read = (path) => readFile(new URL(path, here), "utf8");
const names = (await readdir(new URL("src", here), { recursive: true })).filter((name) => name.endsWith(".js"));
const code = (await Promise.all(names.map((name) => read("src/" + name)))).join("\n");
const elements = JSON.parse(await read("custom-elements.json")).modules.flatMap(({ declarations }) => declarations);
const types = await read("ecscart.d.ts");
const [cart, button] = ["ecs-cart", "ecs-add-to-cart"].map((tag) => elements.find(({ tagName }) => tagName == tag));

const sorted = (values) => [...new Set(values)].sort();
const all = (pattern, text = code) => [...text.matchAll(pattern)].map(([, ...found]) => found.find(Boolean));
const listed = (kind, ...of) => sorted(of.flatMap((element) => element[kind].map(({ name }) => name)));

test("parts are the classes the code gives", () => {
  const given = all(/\b(?:h|act)\(\s*"[a-z0-9]+\.([a-z.-]+)"/g).flatMap((words) => words.split("."));
  assert.deepEqual(listed("cssParts", cart), sorted(given));
});

test("no name the build shortens means something outside the file", async () => {
  const inside = ["StorageLike"]; // its names are the code's alone
  const said = (await read("src/types.d.ts")).split("\n").filter((line) => !inside.some((name) => line.includes(name))).join("\n") + types;
  const public_ = sorted([...all(/(\w+)\??(?=[:(])/g, said), ...all(/["`](\w+):/g), ...Object.keys(globalThis.navigator ?? {})]);
  assert.deepEqual(PRIVATE.filter((name) => public_.includes(name)), []);
});

test("custom properties are those of the style sheet", async () => {
  const used = all(/(--ecs-[a-z-]+)/g, await read("src/styles.css"));
  for (const element of elements) assert.deepEqual(listed("cssProperties", element), sorted(used));
});

test("every class the style sheet speaks of is given", async () => {
  const styled = all(/\.([a-z][a-z-]*)/g, (await read("src/styles.css")).replace(/\/\*.*?\*\//gs, ""));
  const given = listed("cssParts", cart);
  assert.deepEqual(sorted(styled).filter((name) => !given.includes(name)), []);
});

test("events are those the code emits, and those of the types", () => {
  const emitted = all(/\b(?:emit\(\w+, |tell\()"(\w+)"|store\.say\(.*\}, "(\w+)",/g).map((name) => "ecs:" + name);
  assert.deepEqual(listed("events", cart, button), sorted(emitted));
  assert.deepEqual(listed("events", cart, button), sorted(all(/"(ecs:\w+)":/g, types)));
});

test("attributes are those the code reads or sets on its elements", () => {
  const known = all(/\b(?:getAttribute|setAttribute|get)\("([a-z-]+)"/g).filter((name) => name != "lang" && !name.startsWith("ecs-"));
  assert.deepEqual(listed("attributes", cart, button), sorted([...known, "headless"]));
});

for (const element of elements) {
  test(`the members of <${element.tagName}> are in its class and in the types`, async () => {
    const module = element.tagName == "ecs-cart" ? "cart" : "add-to-cart";
    const source = (await read(`src/elements/${module}.js`)).split(`class ${element.name}`)[1];
    const members = sorted(all(/^ {2}(?:async |get )?([a-z]\w*)\(.*\) \{$/gm, source).filter((name) => !/Callback$/.test(name)));
    assert.deepEqual(listed("members", element), members);
    const declared = types.split(`interface ${element.name}Element`)[1].split("}")[0];
    assert.deepEqual(members, sorted(all(/^ {2}(?:readonly )?(\w+)[(:]/gm, declared)));
  });
}
