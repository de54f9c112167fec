import { expect, test } from "vitest";
import { findLines, linesOf, marked } from "./lines";

test("colours go, and of a progress bar the last state stays", () => {
  expect(linesOf("\u001b[31mred\u001b[0m\r\n 1%\r 50%\r100%\nend")).toEqual(["red", "100%", "end"]);
  expect(linesOf("\u001b]0;title\u0007a\n\nb\n")).toEqual(["a", "", "b"]);
  expect(linesOf("")).toEqual([]);
});

test("small letters find both, a capital only itself", () => {
  const lines = ["Loss 1", "loss 2", "lr"];
  expect(findLines(lines, "loss")).toEqual([0, 1]);
  expect(findLines(lines, "Loss")).toEqual([0]);
  expect(findLines(lines, "")).toEqual([]);
});

test("what was searched for is marked wherever it stands", () => {
  expect(marked("a Loss is a loss", "loss")).toEqual(["a ", "Loss", " is a ", "loss", ""]);
  expect(marked("plain", "")).toEqual(["plain"]);
});
