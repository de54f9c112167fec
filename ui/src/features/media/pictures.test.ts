import { expect, test } from "vitest";
import type { ArtifactInfo } from "../../api/artifacts";
import { keysOf, picturesOf, stepsOf, stepUpTo } from "./pictures";

function file(path: string): ArtifactInfo {
  return { path, is_dir: false, size: 1, sha256: "", created_at: null };
}

const NAMES = ["100.png", "100_10.png", "100_2.png", "100.json", "-1.jpg", "10.5.webp", "9.png", "1e-7.gif", "readme.txt", "x.png"];
const RUN = picturesOf([...NAMES.map((name) => file(`media/images/val/samples/${name}`)), file("media/figures/roc/100.png")]);

test("pictures stand by key and step, those of one step in the order of the call", () => {
  expect(keysOf([RUN])).toEqual(["figures/roc", "images/val/samples"]);
  expect(stepsOf([RUN], "images/val/samples")).toEqual([-1, 1e-7, 9, 10.5, 100]);
  expect(RUN.get("images/val/samples")?.get(100)?.map((one) => [one.number, one.caption?.path ?? null])).toEqual([
    [0, "media/images/val/samples/100.json"],
    [2, null],
    [10, null],
  ]);
});

test("a run shows its last step up to the chosen one", () => {
  const at = (step: number): number | null => stepUpTo(RUN, "images/val/samples", step);
  expect([at(-2), at(-1), at(99), at(1e9)]).toEqual([null, -1, 10.5, 100]);
});
