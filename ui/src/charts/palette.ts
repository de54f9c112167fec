/**
 * Which line is which: twelve hues that stay apart for every kind of colour vision, times four dashes.
 *
 * Slots go to lines in the order they are shown, lowest free slot first, and are freed when a line is hidden, so
 * two shown lines never share an identity before 48 of them are shown. The baseline is always ink, dashed.
 */

export type Theme = "light" | "dark";

const HUES: Record<Theme, readonly string[]> = {
  light: [
    "#7d4ad3", "#008362", "#9d3434", "#268bb6", "#956211", "#860d63",
    "#2e6386", "#768b09", "#b26387", "#4f26b0", "#b5885d", "#005f0a",
  ],
  dark: [
    "#b495fe", "#5bc19d", "#e2726d", "#6dcaf8", "#d69f58", "#c25c9c",
    "#699fc5", "#b2cb5c", "#f5a0c5", "#8374da", "#faca9d", "#4a9b4c",
  ],
};

const DASHES: readonly (readonly number[])[] = [[], [6, 3], [2, 2.5], [8, 3, 2, 3]];

/** The six hues furthest apart, for the "Patterns" switch: fewer colours, the dash tells more. */
const PATTERN_HUES = [0, 1, 2, 3, 4, 5];

export const HUE_COUNT = 12;
export const SLOT_COUNT = HUE_COUNT * DASHES.length;
/** The slot of the pinned baseline. */
export const BASELINE_SLOT = -1;

const INK: Record<Theme, string> = { light: "#181c1a", dark: "#e8ece9" };
const BASELINE_DASH: readonly number[] = [5, 3];

export type PaletteMode = "hues" | "patterns";

export function colorOf(slot: number, theme: Theme, mode: PaletteMode = "hues"): string {
  if (slot < 0) return INK[theme];
  const index = mode === "hues" ? slot % HUE_COUNT : (PATTERN_HUES[slot % PATTERN_HUES.length] ?? 0);
  return HUES[theme][index] ?? INK[theme];
}

export function dashOf(slot: number, mode: PaletteMode = "hues"): readonly number[] {
  if (slot < 0) return BASELINE_DASH;
  const hues = mode === "hues" ? HUE_COUNT : PATTERN_HUES.length;
  return DASHES[Math.floor(slot / hues) % DASHES.length] ?? [];
}

/** Give each shown id a slot: known ids keep theirs, new ones take the lowest free slot, in the order shown. */
export function allocateSlots(
  shown: readonly string[],
  known: ReadonlyMap<string, number>,
  baseline: string | null = null,
): Map<string, number> {
  const slots = new Map<string, number>();
  const used = new Set<number>();
  for (const id of shown) {
    const slot = id === baseline ? undefined : known.get(id);
    if (slot === undefined || slot < 0 || used.has(slot)) continue;
    slots.set(id, slot);
    used.add(slot);
  }
  let free = 0;
  const ordered = new Map<string, number>();
  for (const id of shown) {
    let slot = id === baseline ? BASELINE_SLOT : slots.get(id);
    if (slot === undefined) {
      while (used.has(free)) free++;
      slot = free;
      used.add(slot);
    }
    ordered.set(id, slot);
  }
  return ordered;
}

/** A #rrggbb colour with an opacity. */
export function withAlpha(color: string, alpha: number): string {
  const byte = Math.round(Math.max(0, Math.min(1, alpha)) * 255);
  return color + byte.toString(16).padStart(2, "0");
}

/** Sequential ramp for "colour by value", dark to light on paper and light to dark at night, 0..1. */
export function rampColor(share: number, theme: Theme): string {
  const stops: readonly (readonly [number, number, number])[] =
    theme === "light"
      ? [[214, 224, 219], [96, 168, 160], [22, 98, 116], [36, 34, 84]]
      : [[34, 46, 66], [24, 104, 122], [88, 178, 150], [240, 228, 158]];
  const place = Math.max(0, Math.min(1, share)) * (stops.length - 1);
  const i = Math.min(stops.length - 2, Math.floor(place));
  const [a, b] = [stops[i], stops[i + 1]];
  if (a === undefined || b === undefined) return INK[theme];
  const mix = (k: 0 | 1 | 2): number => Math.round(a[k] + (b[k] - a[k]) * (place - i));
  return `rgb(${mix(0)} ${mix(1)} ${mix(2)})`;
}
