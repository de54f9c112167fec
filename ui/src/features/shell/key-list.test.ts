/// <reference types="node" />
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { keyGroups } from "./key-list";

const GUIDE = new URL("../../../../docs/guides/ui.md", import.meta.url);

test("the guide has every key as the page lists it", () => {
  const guide = readFileSync(GUIDE, "utf8");
  const rows = keyGroups("Ctrl ").flatMap(({ name, keys }) => keys.map(([key, does]) => `| ${name} | \`${key}\` | ${does} |`));
  expect(rows.filter((row) => !guide.includes(row))).toEqual([]);
});
