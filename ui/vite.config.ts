/**
 * Builds the UI into the server's package. The server sends a strict Content-Security-Policy, so nothing may be inlined
 * as a data: address, and addresses stay relative to <base>, so that the UI works under any path prefix.
 */
import react from "@vitejs/plugin-react";
import { defineConfig } from "vite";

const SERVER = process.env["GNOMON_URL"] ?? "http://127.0.0.1:7502";

// The server takes writes from its own origin only, so the proxy speaks as that.
const proxied = { target: SERVER, changeOrigin: true, headers: { origin: SERVER } };

export default defineConfig({
  base: "./",
  plugins: [react()],
  build: {
    outDir: "../server/src/gnomon_server/_ui",
    emptyOutDir: true,
    target: "es2022",
    assetsInlineLimit: 0,
    sourcemap: false,
    modulePreload: { polyfill: false },
  },
  server: { proxy: { "/api": proxied, "/healthz": proxied, "/openapi.json": proxied } },
});
