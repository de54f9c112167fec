/** What this browser remembers of earlier visits: tenants, and the last view of each experiment. */
const TENANTS = "gnomon.tenants";
const VIEWS = "gnomon.views";
const MOST_TENANTS = 12;
const MOST_VIEWS = 50;

export function recentTenants(): string[] {
  const kept = read(TENANTS);
  return Array.isArray(kept) ? kept.filter((name) => typeof name === "string") : [];
}

export function rememberTenant(name: string): void {
  write(TENANTS, [name, ...recentTenants().filter((other) => other !== name)].slice(0, MOST_TENANTS));
}

function views(): Map<string, string> {
  const kept = read(VIEWS);
  if (!Array.isArray(kept)) return new Map();
  const entries: [string, string][] = [];
  for (const entry of kept) {
    if (!Array.isArray(entry)) continue;
    const [id, search]: unknown[] = entry;
    if (typeof id === "string" && typeof search === "string") entries.push([id, search]);
  }
  return new Map(entries);
}

/** The query string an experiment was last seen with, "" when it never was. */
export function lastView(experimentId: string): string {
  return views().get(experimentId) ?? "";
}

export function rememberView(experimentId: string, search: string): void {
  const all = views();
  all.delete(experimentId);
  if (search !== "") all.set(experimentId, search);
  write(VIEWS, [...all].slice(-MOST_VIEWS));
}

/** Storage may be forbidden or full; then nothing is remembered, and nothing else fails. */
function read(name: string): unknown {
  try {
    return JSON.parse(localStorage.getItem(name) ?? "null");
  } catch {
    return null;
  }
}

function write(name: string, value: unknown): void {
  try {
    localStorage.setItem(name, JSON.stringify(value));
  } catch {
    // See above.
  }
}
