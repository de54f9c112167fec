/**
 * The query string of a page as a person can read it: `?q=status = 'finished'&c=metrics.loss.min,params.lr`.
 *
 * Lists are joined by commas; a comma or backslash within an item carries a backslash. Characters that are harmless in a
 * query stay as they are, so that a link remains legible.
 */
const ESCAPED = /[\\,]/g;
const LEGIBLE: Readonly<Record<string, string>> = {
  "%20": "+", "%2C": ",", "%2F": "/", "%3A": ":", "%3C": "<", "%3E": ">", "%3D": "=", "%40": "@", "%5B": "[", "%5D": "]",
};

export type Params = ReadonlyMap<string, string>;

export function readSearch(search: string): Map<string, string> {
  return new Map(new URLSearchParams(search));
}

/** The query string without its question mark; entries that are null are left out. */
export function writeSearch(entries: Iterable<readonly [string, string | null]>): string {
  const parts: string[] = [];
  for (const [name, value] of entries) {
    if (value !== null) parts.push(`${legible(name)}=${legible(value)}`);
  }
  return parts.join("&");
}

/** A path of the app with a query string, if there is anything to say in one. */
export function withSearch(path: string, entries: Iterable<readonly [string, string | null]>): string {
  const search = writeSearch(entries);
  return search === "" ? path : `${path}?${search}`;
}

function legible(text: string): string {
  return encodeURIComponent(text.toWellFormed()).replace(/%(?:20|2C|2F|3A|3C|3E|3D|40|5B|5D)/g, (code) => LEGIBLE[code] ?? code);
}

export function writeList(items: readonly string[]): string | null {
  if (items.length === 0) return null;
  return items.map((item) => item.replace(ESCAPED, "\\$&")).join(",");
}

export function readList(text: string | undefined): string[] {
  if (text === undefined || text === "") return [];
  const items: string[] = [];
  let item = "";
  for (let i = 0; i < text.length; i++) {
    const char = text.charAt(i);
    if (char === "\\" && i + 1 < text.length) {
      i++;
      item += text.charAt(i);
    } else if (char === ",") {
      items.push(item);
      item = "";
    } else item += char;
  }
  items.push(item);
  return items;
}

/** One of a closed set of words, or the default. */
export function readWord<T extends string>(text: string | undefined, words: readonly T[], otherwise: T): T {
  return words.find((word) => word === text) ?? otherwise;
}

export function readFlag(text: string | undefined, otherwise: boolean): boolean {
  if (text === "1") return true;
  return text === "0" ? false : otherwise;
}

/** null when it is the default, so that it is left out. */
export function writeFlag(value: boolean, otherwise: boolean): string | null {
  if (value === otherwise) return null;
  return value ? "1" : "0";
}

export function readNumber(text: string | undefined): number | null {
  if (text === undefined || text.trim() === "") return null;
  const value = Number(text);
  return Number.isFinite(value) ? value : null;
}
