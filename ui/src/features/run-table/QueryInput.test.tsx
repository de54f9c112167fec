// @vitest-environment happy-dom
import { act } from "preact/test-utils";
import { createRoot, type Root } from "react-dom/client";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import type { KeyInfo } from "../../api/keys";
import { QueryInput } from "./QueryInput";

const KEYS: KeyInfo[] = [{ kind: "metric", key: "val/loss", runs: 3 }];
let root: Root;
let place: HTMLElement;

beforeEach(() => {
  place = document.createElement("div");
  document.body.append(place);
  root = createRoot(place);
});

afterEach(() => {
  act(() => root.unmount());
  place.remove();
  vi.unstubAllGlobals();
});

function show(value: string, error: { message: string; at: number | null } | null = null, onApply = vi.fn()) {
  act(() => root.render(<QueryInput value={value} keys={KEYS} error={error} onApply={onApply} />));
  const input = place.querySelector("input");
  if (input === null) throw new Error("no input");
  return { input, onApply };
}

function type(input: HTMLInputElement, text: string): void {
  act(() => {
    input.focus();
    // React listens to changes that go past its own setter.
    Object.getOwnPropertyDescriptor(HTMLInputElement.prototype, "value")?.set?.call(input, text);
    input.setSelectionRange(text.length, text.length);
    input.dispatchEvent(new Event("input", { bubbles: true }));
  });
}

function press(input: HTMLInputElement, key: string): void {
  act(() => {
    input.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true, cancelable: true }));
  });
}

test("each part of the filter has its colour, and nothing is added to the text", () => {
  show("status = 'finished'");
  const pre = place.querySelector("pre");
  expect(pre?.textContent).toBe("status = 'finished'");
  expect(pre?.querySelector(".is-text")?.textContent).toBe("'finished'");
});

test("Enter applies what was typed", () => {
  const { input, onApply } = show("");
  type(input, "status = 'failed' ");
  press(input, "Enter");
  expect(onApply).toHaveBeenCalledWith("status = 'failed'");
});

test("a key is offered and taken with the arrow keys", () => {
  const { input, onApply } = show("");
  type(input, "val");
  expect(place.querySelector("[role=option]")?.textContent).toContain("metrics.val/loss");
  press(input, "ArrowDown");
  press(input, "Enter");
  expect(input.value).toBe("metrics.val/loss ");
  expect(onApply).not.toHaveBeenCalled();
});

test("an error is said, and shown under its character", () => {
  const { input } = show("metrics.loss >> 3", { message: "A value is missing here", at: 14 });
  expect(place.querySelector("[role=alert]")?.textContent).toBe("A value is missing here");
  expect(place.querySelector(".is-place")?.textContent).toBe(">");
  expect(input.getAttribute("aria-invalid")).toBe("true");
});

test("what was applied elsewhere replaces the text", () => {
  show("a = 1");
  const { input } = show("b = 2");
  expect(input.value).toBe("b = 2");
});
