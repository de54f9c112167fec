import { expect, test } from "vitest";
import type { ArtifactInfo } from "../../api/artifacts";
import { itemsOf, keysOf, stepsOf, stepUpTo } from "./items";

function file(path: string): ArtifactInfo {
  return { path, is_dir: false, size: 1, sha256: "", created_at: null };
}

const NAMES = ["100.png", "100_10.png", "100_2.png", "100.json", "-1.jpg", "10.5.webp", "9.png", "1e-7.gif", "readme.html", "x.png"];
const OTHERS = ["media/figures/roc/100.png", "media/tables/errors/4.json", "media/tables/errors/4.parquet", "media/histograms/w/4.json"];
const IMPORTED = ["media/text/note/4.txt", "audio/speech/7.wav", "media/figures/curve/2.plotly.json", "video/play/3.mp4"];
const RUN = itemsOf([...NAMES.map((name) => `media/images/val/samples/${name}`), ...OTHERS, ...IMPORTED].map(file));

test("items stand by key and step, those of one step in the order of the call", () => {
  expect(stepsOf([RUN], "images/val/samples")).toEqual([-1, 1e-7, 9, 10.5, 100]);
  expect(RUN.get("images/val/samples")?.get(100)?.map((one) => [one.number, one.caption?.path ?? null])).toEqual([
    [0, "media/images/val/samples/100.json"],
    [2, null],
    [10, null],
  ]);
});

test("what a file is shown as follows from its folder and the end of its name", () => {
  const kinds = keysOf([RUN]).map((key) => [key, [...(RUN.get(key)?.values() ?? [])].flat().map(({ kind }) => kind)[0]]);
  expect(kinds).toEqual([
    ["audio/speech", "audio"],
    ["figures/curve", "plotly"],
    ["figures/roc", "image"],
    ["histograms/w", "histogram"],
    ["images/val/samples", "image"],
    ["tables/errors", "table"],
    ["text/note", "text"],
    ["video/play", "video"],
  ]);
  expect(RUN.get("tables/errors")?.get(4)).toHaveLength(1);
});

test("a run shows its last step up to the chosen one", () => {
  const at = (step: number): number | null => stepUpTo(RUN, "images/val/samples", step);
  expect([at(-2), at(-1), at(99), at(1e9)]).toEqual([null, -1, 10.5, 100]);
});
