import { expect, test } from "vitest";
import { parseCsv } from "./csv";
import { fileKind, formatBytes, mediaType } from "./file-kind";

test("files are shown by the end of their name; markup is text", () => {
  expect(fileKind("plots/confusion_matrix.PNG")).toBe("image");
  expect(fileKind("report.html")).toBe("text");
  expect(fileKind("model.pkl")).toBe("pickle");
  expect(fileKind("Makefile")).toBe("text");
  expect(fileKind("rows.parquet")).toBe("parquet");
  expect(fileKind("weights.npz")).toBe("other");
});

test("no file gets a type that a browser would run", () => {
  for (const name of ["a.html", "a.xml", "a.js", "a"]) expect(mediaType(name)).toBe("application/octet-stream");
});

test("csv with quotes, breaks and its own separator", () => {
  expect(parseCsv('a,b\n"1,5","say ""hi""\nthere"\r\n3,', 10).rows).toEqual([["a", "b"], ["1,5", 'say "hi"\nthere'], ["3", ""]]);
  expect(parseCsv("a\tb\n1,0\t2\n", 10).rows).toEqual([["a", "b"], ["1,0", "2"]]);
  expect(parseCsv("1\n2\n3\n", 2)).toEqual({ rows: [["1"], ["2"]], isCut: true });
});

test("sizes", () => {
  expect([0, 999, 1000, 99_900, 1_500_000].map(formatBytes)).toEqual(["0 B", "999 B", "1.0 kB", "100 kB", "1.5 MB"]);
});
