import { expect, test } from "vitest";
import { readView } from "../view/view";
import { isChanged, searchOf, stateOf, tabOfState } from "./state";

const VIEW = readView("view=a1&q=status = 'finished'&g=params.lr&z=10:20");

test("a saved view opens as it was saved, and says which it is", () => {
  const state = stateOf(VIEW, "sweep");
  expect(state).not.toContain("view=");
  expect(tabOfState(state)).toBe("sweep");
  expect(readView(searchOf("a1", state))).toEqual(VIEW);
});

test("a change of the view is seen, one of the tab is none", () => {
  const state = stateOf(VIEW, "charts");
  expect(isChanged(VIEW, state)).toBe(false);
  expect(isChanged({ ...VIEW, savedView: null }, state)).toBe(false);
  expect(isChanged(VIEW, stateOf(VIEW, "compare"))).toBe(false);
  expect(isChanged({ ...VIEW, filter: "" }, state)).toBe(true);
});

test("what another version wrote opens with what is known of it", () => {
  expect(isChanged(readView("q=a"), "q=a&hologram=1&tab=media4d")).toBe(false);
  expect(tabOfState("tab=media4d")).toBe("charts");
});
