// Three builds of one front end: `vite build` (the studio), `--mode page` (the file to give away), `--mode widget` (notebooks).
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
    lib: { entry: `src/${name}/main.tsx`, name: "latentia", formats: [format], fileName: () => `${name}.js`, cssFileName: name },
  };
}

export default defineConfig(({ mode }) => ({
  base: "./",
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
