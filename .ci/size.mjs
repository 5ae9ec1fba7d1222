// The built widget must stay small: a shop page pays for every byte before its first button works.
import { existsSync, readFileSync } from "node:fs";
import { brotliCompressSync, constants } from "node:zlib";

const file = new URL("../flask_ecscart/static/ecscart.js", import.meta.url);
const budget = 9_000;

if (!existsSync(file)) {
    console.error("flask_ecscart/static/ecscart.js is not there: build it with `npm run build` in widget/ and commit it.");
    process.exit(1);
}
const source = readFileSync(file);
const options = { params: { [constants.BROTLI_PARAM_QUALITY]: 11, [constants.BROTLI_PARAM_SIZE_HINT]: source.length } };
const sent = brotliCompressSync(source, options).length;
console.log(`ecscart.js: ${source.length} bytes, ${sent} compressed with brotli, budget ${budget}`);
if (sent > budget) {
    console.error(`ecscart.js is ${sent - budget} bytes over its budget: take something out of widget/src and build again.`);
    process.exit(1);
}
