import { describe, expect, test } from "vitest";
import { allocateSlots, BASELINE_SLOT, colorOf, dashOf, rampColor, SLOT_COUNT, withAlpha, type Theme } from "./palette";

const ids = (n: number): string[] => Array.from({ length: n }, (_, i) => `run-${i}`);
const looks = (slot: number, theme: Theme, mode: "hues" | "patterns"): string =>
  `${colorOf(slot, theme, mode)} ${dashOf(slot, mode).join(",")}`;

describe("slots", () => {
  test("are given in the order shown", () => {
    expect([...allocateSlots(ids(3), new Map())]).toEqual([["run-0", 0], ["run-1", 1], ["run-2", 2]]);
  });

  test("stay when other runs go, and the next run takes the free one", () => {
    const before = allocateSlots(ids(4), new Map());
    const hidden = allocateSlots(["run-0", "run-2", "run-3"], before);
    expect([...hidden.values()]).toEqual([0, 2, 3]);
    expect(allocateSlots(["run-0", "run-2", "run-3", "new"], hidden).get("new")).toBe(1);
  });

  test("the baseline is ink and takes no slot from others", () => {
    const slots = allocateSlots(ids(3), new Map(), "run-1");
    expect(slots.get("run-1")).toBe(BASELINE_SLOT);
    expect(slots.get("run-2")).toBe(1);
    expect(allocateSlots(ids(3), slots).get("run-1")).toBe(2);
  });

  test("two known runs that claim one slot do not share it", () => {
    const slots = allocateSlots(["a", "b"], new Map([["a", 5], ["b", 5]]));
    expect(slots.get("a")).toBe(5);
    expect(slots.get("b")).toBe(0);
  });
});

describe("identities", () => {
  test("48 lines look different in both themes", () => {
    for (const theme of ["light", "dark"] satisfies Theme[]) {
      const all = Array.from({ length: SLOT_COUNT }, (_, slot) => looks(slot, theme, "hues"));
      expect(new Set(all).size).toBe(48);
    }
  });

  test("patterns use six hues and change the dash sooner", () => {
    const all = Array.from({ length: 24 }, (_, slot) => looks(slot, "light", "patterns"));
    expect(new Set(all).size).toBe(24);
    expect(new Set(Array.from({ length: 48 }, (_, slot) => colorOf(slot, "light", "patterns"))).size).toBe(6);
  });

  test("every hue reaches 3:1 on its panel", () => {
    const surface: Record<Theme, string> = { light: "#fcfcfb", dark: "#151918" };
    for (const theme of ["light", "dark"] satisfies Theme[]) {
      for (let slot = BASELINE_SLOT; slot < 12; slot++) {
        expect(contrast(colorOf(slot, theme), surface[theme])).toBeGreaterThanOrEqual(3);
      }
    }
  });
});

test("opacity and ramp stay within their bounds", () => {
  expect(withAlpha("#102030", 0.5)).toBe("#10203080");
  expect(withAlpha("#102030", 7)).toBe("#102030ff");
  expect(rampColor(-1, "light")).toBe(rampColor(0, "light"));
  expect(rampColor(2, "dark")).toBe(rampColor(1, "dark"));
});

function contrast(a: string, b: string): number {
  const [high = 0, low = 0] = [luminance(a), luminance(b)].toSorted((x, y) => y - x);
  return (high + 0.05) / (low + 0.05);
}

function luminance(hex: string): number {
  const [r = 0, g = 0, b = 0] = [1, 3, 5].map((i) => {
    const c = Number.parseInt(hex.slice(i, i + 2), 16) / 255;
    return c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}
