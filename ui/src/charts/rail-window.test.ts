import { describe, expect, test } from "vitest";
import { dragWindow, grabAt, keyWindow, roundWindow } from "./rail-window";

const extent = [0, 1000] as const;

describe("the rail", () => {
  test("takes hold of an edge, the window, or nothing", () => {
    expect(grabAt(203, [200, 600], 1)).toBe("start");
    expect(grabAt(598, [200, 600], 1)).toBe("end");
    expect(grabAt(400, [200, 600], 1)).toBe("move");
    expect(grabAt(800, [200, 600], 1)).toBe("new");
    expect(grabAt(400, null, 1)).toBe("new");
  });

  test("a window is drawn in either direction and stays inside", () => {
    expect(dragWindow("new", null, 500, 200, extent)).toEqual([200, 500]);
    expect(dragWindow("new", null, 500, 5000, extent)).toEqual([500, 1000]);
  });

  test("moved to the end it keeps its width", () => {
    expect(dragWindow("move", [200, 600], 300, 900, extent)).toEqual([600, 1000]);
  });

  test("an edge dragged over the other turns the window around", () => {
    expect(dragWindow("start", [200, 600], 200, 800, extent)).toEqual([600, 800]);
  });

  test("keys move, resize, zoom and reset", () => {
    expect(keyWindow("ArrowRight", false, [200, 600], extent)).toEqual([240, 640]);
    expect(keyWindow("ArrowRight", true, [200, 600], extent)).toEqual([200, 640]);
    expect(keyWindow("+", false, null, extent)).toEqual([250, 750]);
    expect(keyWindow("-", false, [250, 750], extent)).toBeNull();
    expect(keyWindow("Home", false, [200, 600], extent)).toEqual([0, 400]);
    expect(keyWindow("End", false, [200, 600], extent)).toEqual([600, 1000]);
    expect(keyWindow("Escape", false, [200, 600], extent)).toBeNull();
    expect(keyWindow("Escape", false, null, extent)).toBeUndefined();
    expect(keyWindow("a", false, null, extent)).toBeUndefined();
  });

  test("goes into the URL in round figures, and stays as good as the same", () => {
    expect(roundWindow([30113.20754716981, 75283.01886792452])).toEqual([30110, 75280]);
    expect(roundWindow([0.00012345678, 0.000987654])).toEqual([0.0001235, 0.0009877]);
    expect(roundWindow([5, 5])).toEqual([5, 5]);
  });

  test("never becomes empty", () => {
    const window = dragWindow("end", [200, 600], 600, 200, extent);
    expect(window === null ? 0 : window[1] - window[0]).toBeGreaterThan(0);
  });
});
