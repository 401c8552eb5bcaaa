import { defineConfig } from "vite";

// The page is built into the Python package, which serves these files and no others.
export default defineConfig({
  base: "/",
  build: {
    outDir: "../src/chainrule/playground/static",
    emptyOutDir: true,
    assetsInlineLimit: 0,
    modulePreload: false,
    chunkSizeWarningLimit: 400,
  },
});
