// Bundle Hydrogen into dist/: no network, no address of any server in the result.
import { cp, mkdir, rm } from "node:fs/promises";
import { build } from "esbuild";

const here = new URL(".", import.meta.url).pathname;
await rm(`${here}dist`, { recursive: true, force: true });
await mkdir(`${here}dist/olm`, { recursive: true });
await build({
    entryPoints: { main: `${here}main.mjs` },
    outdir: `${here}dist`,
    bundle: true,
    format: "esm",
    target: "es2022",
    define: { global: "globalThis" },
    // The olm bundle looks for Node's modules only when it runs in Node.
    external: ["fs", "path", "crypto"],
    logLevel: "error",
});
await cp(`${here}node_modules/hydrogen-view-sdk/asset-build/assets`, `${here}dist/assets`, { recursive: true });
for (const file of ["olm.js", "olm_legacy.js", "olm.wasm"]) await cp(`${here}node_modules/@matrix-org/olm/${file}`, `${here}dist/olm/${file}`);
await cp(`${here}node_modules/hydrogen-view-sdk/lib-build/sw.js`, `${here}dist/sw.js`);
await cp(`${here}index.html`, `${here}dist/index.html`);
