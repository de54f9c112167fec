import { expect, test } from "vitest";
import { isSafeHref, parseInline, parseMarkdown } from "./markdown";

test("blocks of a note", () => {
  const kinds = parseMarkdown("# Title\n\ntext\nmore\n\n- a\n- b\n  - c\n\n```\ncode *x*\n```\n\n> said\n\n---\n\n| a | b |\n|---|---|\n| 1 | 2 |").map(
    (block) => block.kind,
  );
  expect(kinds).toEqual(["heading", "paragraph", "list", "code", "quote", "rule", "table"]);
});

test("lists nest", () => {
  const [list] = parseMarkdown("1. one\n   - inner\n2. two");
  expect(list).toMatchObject({ kind: "list", isOrdered: true, items: [[{ kind: "paragraph" }, { kind: "list" }], [{ kind: "paragraph" }]] });
});

test("emphasis, code and links", () => {
  expect(parseInline("a **b** `c*d*` [e](https://x.org/y) snake_case_name")).toEqual([
    { kind: "text", text: "a " },
    { kind: "strong", children: [{ kind: "text", text: "b" }] },
    { kind: "text", text: " " },
    { kind: "code", text: "c*d*" },
    { kind: "text", text: " " },
    { kind: "link", href: "https://x.org/y", children: [{ kind: "text", text: "e" }] },
    { kind: "text", text: " snake_case_name" },
  ]);
});

test("markup and dangerous addresses stay text", () => {
  expect(parseInline("<img src=x onerror=alert(1)>")).toEqual([{ kind: "text", text: "<img src=x onerror=alert(1)>" }]);
  expect(parseInline("[x](javascript:alert(1))")).toEqual([{ kind: "text", text: "[x](javascript:alert(1))" }]);
  for (const href of ["javascript:alert(1)", " javascript:x", "data:text/html,x", "//evil", "/relative"]) expect(isSafeHref(href)).toBe(false);
});

test("whatever is typed ends", () => {
  for (const text of ["***", "**", "```", "> ".repeat(500), "- ".repeat(500), "|", "[a](", "* *\n\t*", "`".repeat(99)]) {
    expect(() => parseMarkdown(text)).not.toThrow();
  }
});
