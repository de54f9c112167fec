import { expect, test } from "vitest";
import { columnWindow, RowLayout } from "./row-layout";

const grouped = new RowLayout([{ n: 2, isFolded: false }, { n: 300, isFolded: true }, { n: 500, isFolded: false }], true);

test("rows lie group by group, a folded group being its heading alone", () => {
  expect(grouped.count).toBe(3 + 1 + 501);
  expect(grouped.rowAt(0)).toEqual({ kind: "group", section: 0 });
  expect(grouped.rowAt(2)).toEqual({ kind: "run", section: 0, index: 1 });
  expect(grouped.rowAt(3)).toEqual({ kind: "group", section: 1 });
  expect(grouped.rowAt(4)).toEqual({ kind: "group", section: 2 });
  expect(grouped.rowAt(504)).toEqual({ kind: "run", section: 2, index: 499 });
  expect(grouped.rowAt(505)).toBeNull();
  expect(grouped.rowAt(-1)).toBeNull();
});

test("without groups every row is a run", () => {
  const plain = new RowLayout([{ n: 10_000, isFolded: false }], false);
  expect(plain.count).toBe(10_000);
  expect(plain.rowAt(9_999)).toEqual({ kind: "run", section: 0, index: 9_999 });
});

test("only pages in sight are asked for", () => {
  expect(grouped.pagesOf(0, 10, 200)).toEqual([{ section: 0, page: 0 }, { section: 2, page: 0 }]);
  expect(grouped.pagesOf(200, 210, 200)).toEqual([{ section: 2, page: 0 }, { section: 2, page: 1 }]);
  expect(grouped.pagesOf(400, 9_999, 200)).toEqual([{ section: 2, page: 1 }, { section: 2, page: 2 }]);
});

test("only columns in sight are drawn", () => {
  const widths = Array.from({ length: 60 }, () => 100);
  expect(columnWindow(widths, 0, 450)).toEqual({ first: 0, last: 4, before: 0 });
  expect(columnWindow(widths, 250, 400)).toEqual({ first: 2, last: 6, before: 200 });
  expect(columnWindow(widths, 99_999, 400)).toMatchObject({ first: 59, last: 59 });
  expect(columnWindow([], 0, 400)).toEqual({ first: 0, last: -1, before: 0 });
});
