/** What belongs to the person and not to the view: theme, density, colours, key. Kept in this browser. */
import { useSyncExternalStore } from "react";

export const THEMES = ["system", "light", "dark"] as const;
export const DENSITIES = ["compact", "comfortable"] as const;
export const PALETTES = ["hues", "patterns"] as const;

export interface Preferences {
  readonly theme: (typeof THEMES)[number];
  readonly density: (typeof DENSITIES)[number];
  readonly palette: (typeof PALETTES)[number];
  /** The API key of a secured server; empty in open mode. */
  readonly apiKey: string;
}

const DEFAULTS: Preferences = { theme: "system", density: "compact", palette: "hues", apiKey: "" };
const STORE = "gnomon.preferences";

let current: Preferences = load();
const listeners = new Set<() => void>();

/** Storage may be forbidden to the page; then preferences last as long as the page. */
function load(): Preferences {
  let kept: unknown = null;
  try {
    kept = JSON.parse(localStorage.getItem(STORE) ?? "null");
  } catch {
    return DEFAULTS;
  }
  if (typeof kept !== "object" || kept === null) return DEFAULTS;
  const entries = new Map<string, unknown>(Object.entries(kept));
  const apiKey = entries.get("apiKey");
  return {
    theme: THEMES.find((theme) => theme === entries.get("theme")) ?? DEFAULTS.theme,
    density: DENSITIES.find((density) => density === entries.get("density")) ?? DEFAULTS.density,
    palette: PALETTES.find((palette) => palette === entries.get("palette")) ?? DEFAULTS.palette,
    apiKey: typeof apiKey === "string" ? apiKey : DEFAULTS.apiKey,
  };
}

export function preferences(): Preferences {
  return current;
}

export function setPreferences(change: Partial<Preferences>): void {
  current = { ...current, ...change };
  try {
    localStorage.setItem(STORE, JSON.stringify(current));
  } catch {
    // Not kept beyond this page: the change itself still holds.
  }
  applyToPage();
  for (const listener of listeners) listener();
}

export function onPreferences(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

export function usePreferences(): Preferences {
  return useSyncExternalStore(onPreferences, preferences);
}

/** Theme and density are attributes of <html>, for the style sheets. */
export function applyToPage(): void {
  const root = document.documentElement;
  if (current.theme === "system") delete root.dataset["theme"];
  else root.dataset["theme"] = current.theme;
  root.dataset["density"] = current.density;
}

function darkQuery(): MediaQueryList {
  return window.matchMedia("(prefers-color-scheme: dark)");
}

function watchSystem(listener: () => void): () => void {
  const query = darkQuery();
  query.addEventListener("change", listener);
  return () => query.removeEventListener("change", listener);
}

/** The theme as it is seen. */
export function useTheme(): "light" | "dark" {
  const { theme } = usePreferences();
  const isSystemDark = useSyncExternalStore(watchSystem, () => darkQuery().matches);
  if (theme !== "system") return theme;
  return isSystemDark ? "dark" : "light";
}
