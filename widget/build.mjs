// Bundles src/ into the one file the blueprint serves, and prints what it weighs.
// `node build.mjs --check` builds in memory and fails when the committed file differs. The budget is checked in .ci/size.mjs.
import { readFile, writeFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { brotliCompressSync, constants, gzipSync } from "node:zlib";
import * as esbuild from "esbuild";

/** Our own names that never leave the bundle, so they may be short there. No name of the wire, the storage or the DOM. */
const INTERNAL = "removed asking sentParts notes unreachable waiting retry dismiss undo leave answer shut moveTo emptyCart setQuantity takeOut listen isLoaded isBusy isKnown refresh flush stored heard recall failures sending polls epoch props kids mine restore seen take drop mayKnow store connect disconnect added aim say later busy transient quiet channel times fold retryMost poll fresh bearer uuid".split(" ");
const here = new URL(".", import.meta.url);
const target = new URL("../flask_ecscart/static/ecscart.js", here);

/** The style sheet is a css`…` literal: esbuild minifies the code around it, this the CSS inside. */
const css = {
  name: "css-literals",
  setup(build) {
    build.onLoad({ filter: /styles\.js$/ }, async ({ path }) => {
      let source = await readFile(path, "utf8");
      for (const [literal, text] of source.matchAll(/css`([^`]*)`/g)) {
        const { code } = await esbuild.transform(text, { loader: "css", minify: true, target: "es2022" });
        source = source.replace(literal, () => JSON.stringify(code.trim()));
      }
      return { contents: source, loader: "js" };
    });
  },
};

/** The words of all languages in one string each, in the order of one list of keys: names are not repeated. */
const words = {
  name: "words",
  setup(build) {
    build.onLoad({ filter: /words\.js$/ }, async ({ path }) => {
      const { languages } = await import(path);
      const keys = Object.keys(languages.en);
      const packed = Object.values(languages).map((texts) => keys.map((key) => texts[key]).join("\n"));
      const contents = `
        const keys = ${JSON.stringify(keys.join(" "))}.split(" ");
        const codes = ${JSON.stringify(Object.keys(languages).join(" "))}.split(" ");
        const unpack = (text) => { const list = text.split("\\n"); return Object.fromEntries(keys.map((key, at) => [key, list[at]])) };
        export const languages = Object.fromEntries(${JSON.stringify(packed)}.map((text, at) => [codes[at], unpack(text)]));`;
      return { contents, loader: "js" };
    });
  },
};

const contract = (await readFile(new URL("src/types.d.ts", here), "utf8")).split("/** A cart with")[0];
for (const name of INTERNAL) {
  if (new RegExp(`\\b${name}\\??:`).test(contract)) throw new Error(`"${name}" goes over the wire: take it out of INTERNAL in build.mjs.`);
}

const { outputFiles } = await esbuild.build({
  entryPoints: [fileURLToPath(new URL("src/index.js", here))],
  bundle: true,
  minify: true,
  write: false,
  format: "esm",
  target: "es2022",
  charset: "utf8",
  legalComments: "none",
  plugins: [css, words],
  mangleProps: new RegExp(`^(${INTERNAL.join("|")})$`),
});

const code = outputFiles[0].contents;
const brotli = brotliCompressSync(code, { params: { [constants.BROTLI_PARAM_QUALITY]: 11 } }).length;
console.log(`ecscart.js: ${code.length} bytes, gzip ${gzipSync(code, { level: 9 }).length}, brotli ${brotli}`);

if (process.argv.includes("--check")) {
  const committed = await readFile(target).catch(() => Buffer.alloc(0));
  if (!committed.equals(code)) {
    console.error("flask_ecscart/static/ecscart.js is not what widget/src builds: run `npm run build` in widget/.");
    process.exitCode = 1;
  }
} else {
  await writeFile(target, code);
}
