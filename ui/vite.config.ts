/**
 * Builds the UI into the server's package. The server sends a strict Content-Security-Policy, so nothing may be inlined
 * as a data: address, and addresses stay relative to <base>, so that the UI works under any path prefix.
 *
 * Scripts and styles are packed here once, as hard as it goes; the server sends what the browser takes.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { brotliCompressSync, gzipSync } from "node:zlib";
import { defineConfig, type Plugin } from "vite";

const SERVER = process.env["GNOMON_URL"] ?? "http://127.0.0.1:7502";

// The server takes writes from its own origin only, so the proxy speaks as that.
const proxied = { target: SERVER, changeOrigin: true, headers: { origin: SERVER } };

/** The code is React's, what runs is Preact: a third of the first page's JavaScript would be React's own. */
export const PREACT = [
  { find: /^react\/jsx-(dev-)?runtime$/, replacement: "preact/jsx-runtime" },
  { find: /^react-dom\/client$/, replacement: "preact/compat/client" },
  { find: /^react(-dom)?$/, replacement: "preact/compat" },
];

const PACKED = /\.(?:js|css|svg)$/;
/** Below one packet there is nothing to win. */
const WORTH_BYTES = 1_200;

function packed(): Plugin {
  return {
    name: "gnomon-packed",
    apply: "build",
    writeBundle({ dir }, bundle) {
      for (const name of Object.keys(bundle).filter((file) => PACKED.test(file))) {
        const path = join(dir ?? ".", name);
        const content = readFileSync(path);
        if (content.length < WORTH_BYTES) continue;
        writeFileSync(`${path}.br`, brotliCompressSync(content));
        writeFileSync(`${path}.gz`, gzipSync(content, { level: 9 }));
      }
    },
  };
}

/**
 * Three files of scripts before the first chart, where the bundler would make thirty: each is a request, and small ones
 * pack badly. What every page needs, what some pages share, and what the page that nearly every visit opens adds to that.
 */
const ENTRY = ["/src/main.tsx"];
const FIRST_PAGES = ["/src/features/experiment/ExperimentPage.tsx", "/src/features/charts-page/ChartsPage.tsx"];
const OTHER_PAGES = ["home/HomePage", "run/RunPage", "models/ModelsPage", "models/ModelPage", "settings/SettingsPage"].map(
  (page) => `/src/features/${page}.tsx`,
);
const FIRST_CHUNKS = ["shared", "experiment"];

type Imports = (id: string) => readonly string[];

/** The modules that come with those of these ends. */
function closure(ends: readonly string[], imports: Imports): Set<string> {
  const waiting = ends.map((end) => join(import.meta.dirname, end));
  const found = new Set<string>();
  for (let id = waiting.pop(); id !== undefined; id = waiting.pop()) {
    if (found.has(id)) continue;
    found.add(id);
    waiting.push(...imports(id));
  }
  return found;
}

function chunkNames(): (id: string, context: { getModuleInfo: (id: string) => { importedIds: readonly string[] } | null }) => string | null {
  let sets: readonly Set<string>[] | null = null;
  return (id, context) => {
    // The lists of a module are used again for the next one, so they are copied.
    const imports: Imports = (one) => [...(context.getModuleInfo(one)?.importedIds ?? [])];
    sets ??= [ENTRY, FIRST_PAGES, OTHER_PAGES].map((ends) => closure(ends, imports));
    const [isEverywhere, isFirst, isElsewhere] = sets.map((set) => set.has(id));
    if (isEverywhere === true) return "app";
    if (isFirst !== true) return null;
    return isElsewhere === true ? "shared" : "experiment";
  };
}

const FIRST_FONT = /archivo-latin-wght.*\.woff2$/;

/** Lets the browser fetch what the first page's charts need beside the entry: its scripts, its styles, the font of its words. */
function preloaded(): Plugin {
  return {
    name: "gnomon-preloaded",
    apply: "build",
    transformIndexHtml: {
      order: "post",
      handler: (html, { bundle = {} }) => {
        const chunks = Object.values(bundle).filter((part) => part.type === "chunk");
        const scripts = new Set<string>();
        const styles = new Set<string>();
        const take = (file: string): void => {
          const chunk = chunks.find(({ fileName }) => fileName === file);
          if (chunk === undefined || scripts.has(file)) return;
          scripts.add(file);
          for (const style of chunk.viteMetadata?.importedCss ?? []) styles.add(style);
          for (const other of chunk.imports) take(other);
        };
        for (const { name, fileName, isEntry } of chunks) if (!isEntry && FIRST_CHUNKS.includes(name)) take(fileName);
        const font = Object.keys(bundle).find((file) => FIRST_FONT.test(file));
        const links = [
          ...[...styles].map((href) => ({ rel: "stylesheet", href })),
          ...[...scripts].map((href) => ({ rel: "modulepreload", href })),
          ...(font === undefined ? [] : [{ rel: "preload", as: "font", type: "font/woff2", href: font }]),
        ];
        return links
          .filter(({ href }) => !html.includes(href))
          .map((link) => ({ tag: "link", attrs: { ...link, crossorigin: true, href: `./${link.href}` }, injectTo: "head" }));
      },
    },
  };
}

export default defineConfig({
  base: "./",
  plugins: [preloaded(), packed()],
  resolve: { alias: PREACT },
  build: {
    outDir: "../server/src/gnomon_server/_ui",
    emptyOutDir: true,
    target: "es2022",
    assetsInlineLimit: 0,
    sourcemap: false,
    modulePreload: { polyfill: false },
    rolldownOptions: {
      output: { codeSplitting: { includeDependenciesRecursively: false, groups: [{ name: chunkNames(), debugName: "first pages" }] } },
      // Libraries mark what is for the browser; everything here is.
      onLog: (level, log, handle) => {
        if (log.code !== "MODULE_LEVEL_DIRECTIVE") handle(level, log);
      },
    },
  },
  server: { proxy: { "/api": proxied, "/healthz": proxied, "/openapi.json": proxied } },
});
