// @vitest-environment happy-dom
import { act } from "preact/test-utils";
import { createRoot } from "react-dom/client";
import { expect, test, vi } from "vitest";
import { Markdown } from "./Markdown";

test("no markup of a note becomes markup of the page", () => {
  const place = document.createElement("div");
  const root = createRoot(place);
  const evil = "<img src=x onerror=alert(1)>\n\n<script>alert(2)</script>\n\n[x](javascript:alert(3)) **<b>bold</b>**\n\n- <iframe>";
  act(() => root.render(<Markdown source={evil} />));
  expect(place.querySelectorAll("img, script, iframe, b, a")).toHaveLength(0);
  expect(place.textContent).toContain("<script>alert(2)</script>");
  expect(place.querySelector("strong")?.textContent).toBe("<b>bold</b>");
  act(() => root.unmount());
  vi.unstubAllGlobals();
});
