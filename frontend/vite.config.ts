// Three builds of one front end: `vite build` (the studio), `--mode page` (the file to give away), `--mode widget` (notebooks).
import { readFileSync } from "node:fs";
import { gzipSync } from "node:zlib";
import { defineConfig } from "vitest/config";

const places = {
  studio: "../src/latentia/studio/static",
  page: "../src/latentia/export/page",
  widget: "../src/latentia/studio/widget",
};

/** One file without a name that changes, for builds that are put into another file. */
function single(name: "page" | "widget", format: "iife" | "es") {
  return {
    outDir: places[name],
    emptyOutDir: true,
    cssCodeSplit: false,
    copyPublicDir: false,
    lib: { entry: `src/${name}/main.tsx`, name: "latentia", formats: [format], fileName: () => `${name}.js`, cssFileName: name },
  };
}

/** onnxruntime-web for the page: what it would fetch from beside itself is never asked for; the page carries its WebAssembly. */
const runtime = {
  name: "runtime",
  enforce: "pre" as const,
  transform: (code: string, id: string) => (id.includes("onnxruntime-web") ? code.replaceAll("import.meta.url", "document.baseURI") : undefined),
  generateBundle(this: { emitFile(file: { type: "asset"; fileName: string; source: Uint8Array }): void }) {
    const wasm = readFileSync("node_modules/onnxruntime-web/dist/ort-wasm-simd-threaded.wasm");
    this.emitFile({ type: "asset", fileName: "runtime.wasm.gz", source: gzipSync(wasm, { level: 9 }) });
  },
};

export default defineConfig(({ mode }) => ({
  base: "./",
  plugins: mode === "page" ? [runtime] : [],
  define: mode === "page" || mode === "widget" ? { "process.env.NODE_ENV": '"production"' } : {},
  build: {
    target: "es2022",
    ...(mode === "page"
      ? single("page", "iife")
      : mode === "widget"
        ? single("widget", "es")
        : {
            outDir: places.studio,
            emptyOutDir: true,
            modulePreload: { polyfill: false },
            assetsInlineLimit: 0,
            // The names do not change with the content, so that a rebuild changes files instead of replacing them.
            rolldownOptions: {
              output: { entryFileNames: "assets/studio.js", chunkFileNames: "assets/[name].js", assetFileNames: "assets/[name][extname]" },
            },
          }),
  },
  test: { include: ["tests/**/*.test.ts"], environment: "node" },
}));
