import { expect, test } from "vitest";
import { evenly } from "../../lib/evenly";
import { columnsOf, rangeOf } from "./histogram-steps";
import { readHistogram, readTable } from "./table";

function bytes(value: unknown): ArrayBuffer {
  const packed = new TextEncoder().encode(JSON.stringify(value));
  const copy = new ArrayBuffer(packed.length);
  new Uint8Array(copy).set(packed);
  return copy;
}

test("distributions with other edges stand on one grid, and no value is lost", () => {
  const narrow = { edges: [0, 1], counts: [8], total: 8, nonfinite: 0, mean: 0.5 };
  const wide = { edges: [0, 2, 4], counts: [6, 2], total: 8, nonfinite: 0, mean: 1.5 };
  const range = rangeOf([narrow, null, wide]);
  expect(range).toEqual([0, 4]);
  const grid = range === null ? null : columnsOf([narrow, null, wide], 4, range);
  expect([grid?.lo, grid?.hi]).toEqual([0, 4]);
  expect(grid?.shares[0]).toEqual([1, 0, 0, 0]);
  expect(grid?.shares[1]).toEqual([]);
  expect(grid?.shares[2]?.map((share) => Number(share.toFixed(6)))).toEqual([0.375, 0.375, 0.125, 0.125]);
  expect(rangeOf([null])).toBeNull();
  // A wider range, of other runs, leaves the rows beyond the own one empty.
  expect(columnsOf([wide], 4, [0, 8]).shares[0]).toEqual([1, 1 / 3, 0, 0]);
});

test("of many steps an even choice is drawn", () => {
  expect(evenly([1, 2, 3], 5)).toEqual([1, 2, 3]);
  expect(evenly([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10], 3)).toEqual([0, 5, 10]);
});

test("a file that is no table or distribution is refused, one with words for numbers is not", () => {
  expect(readTable(bytes({ columns: [{ name: "a" }], rows: [["NaN"], [null], [1]], total: 3, is_whole: true }))?.rows).toEqual([["NaN"], [""], ["1"]]);
  expect(readTable(bytes([1]))).toBeNull();
  expect(readHistogram(bytes({ edges: [0, 1], counts: [1, 2], total: 3, nonfinite: 0, mean: 0 }))).toBeNull();
  expect(readHistogram(bytes({ edges: [], counts: [], total: 2, nonfinite: 2, mean: null }))?.counts).toEqual([]);
});
