import { expect, test } from "vitest";
import { detailsOf } from "./environment";

test("the machine is told in a few facts", () => {
  const text = JSON.stringify({
    command: { line: "train.py", folder: "/work" },
    host: { name: "n", system: "Linux 6.1", processor: "EPYC", cpus: 8, memory_bytes: 64e9, gpus: [{ name: "A100" }, "T4", { name: "A100" }] },
    python: { version: "3.12.1", executable: "/usr/bin/python" },
  });
  expect(detailsOf(text).map(({ name, text: said }) => `${name}: ${said}`)).toEqual([
    "folder: /work", "system: Linux 6.1", "processor: EPYC, 8 cores", "memory: 64 GB", "GPUs: 2 × A100, T4", "interpreter: /usr/bin/python",
  ]);
});

test("a file of another shape says nothing", () => {
  for (const text of ["", "{", "[1]", "null", '{"host": 3, "python": []}']) expect(detailsOf(text)).toEqual([]);
});
