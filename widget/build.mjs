// Bundles src/ into the one file the blueprint serves, and prints what it weighs.
// `node build.mjs --check` builds in memory and fails when the committed file differs. The budget is checked in .ci/size.mjs.
import { readFile, writeFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { brotliCompressSync, constants, gzipSync } from "node:zlib";
import * as esbuild from "esbuild";
import { minify } from "terser";
import { PRIVATE } from "./private.mjs";

const here = new URL(".", import.meta.url);
const target = new URL("../flask_ecscart/static/ecscart.js", here);
const browsers = ["chrome123", "firefox128", "safari17.5"];

/** `import text from "./styles.css"` is the style sheet as a minified string. */
const css = {
  name: "css-as-text",
  setup(build) {
    build.onLoad({ filter: /\.css$/ }, async ({ path }) => {
      const { code } = await esbuild.transform(await readFile(path, "utf8"), { loader: "css", minify: true, target: browsers });
      // Custom properties are left as they were written, spaces and all.
      return { contents: code.trim().replace(/(?<=[:,]) /g, ""), loader: "text" };
    });
  },
};

/** The words by column: a fifteenth of the whole smaller than by row. */
const byColumn = {
  name: "words-by-column",
  setup(build) {
    build.onLoad({ filter: /words\.js$/ }, async ({ path }) => {
      const { columns } = await import(path);
      return { contents: `export const columns = ${JSON.stringify(columns)}` };
    });
  },
};

const { outputFiles } = await esbuild.build({
  entryPoints: [fileURLToPath(new URL("src/index.js", here))],
  bundle: true,
  write: false,
  format: "esm",
  target: browsers,
  charset: "utf8",
  legalComments: "none",
  plugins: [css, byColumn],
});

// terser makes it a twentieth smaller than esbuild does.
const minified = await minify(outputFiles[0].text, {
  module: true,
  ecma: 2020,
  compress: { passes: 3, unsafe_arrows: true, pure_getters: true, keep_fargs: false, hoist_funs: true },
  mangle: { properties: { regex: new RegExp(`^(${PRIVATE.join("|")})$`), builtins: true } },
});
const code = Buffer.from(minified.code);
const brotli = brotliCompressSync(code, { params: { [constants.BROTLI_PARAM_QUALITY]: 11, [constants.BROTLI_PARAM_SIZE_HINT]: code.length } }).length;
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
