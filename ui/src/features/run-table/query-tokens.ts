/**
 * The query language as the input needs it: tokens with their places, for colours and for completion. The server's
 * parser decides what is right; this one only has to agree with it on where words begin and end.
 */
export type TokenKind = "key" | "operator" | "word" | "text" | "number" | "paren" | "space" | "odd";

export interface Token {
  readonly kind: TokenKind;
  readonly text: string;
  readonly at: number;
}

const WORDS = new Set("and or not in like ilike matches between is null nan".split(" "));
const RULES: readonly (readonly [TokenKind, RegExp])[] = [
  ["space", /\s+/y],
  ["paren", /[(),]/y],
  ["text", /'(?:[^']|'')*'?|"(?:[^"]|"")*"?/y],
  ["number", /[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?(?![\w.])/iy],
  ["operator", /=~|!~|==|!=|<>|<=|>=|=|<|>/y],
  ["key", /(?:[\p{L}_][\p{L}\p{N}_./@:-]*(?:`(?:[^`]|``)*`?(?:\.\w+)?|"(?:[^"]|"")*"?(?:\.\w+)?)?|`(?:[^`]|``)*`?)/uy],
];

export function tokenize(text: string): Token[] {
  const tokens: Token[] = [];
  let at = 0;
  while (at < text.length) {
    const token = tokenAt(text, at);
    tokens.push(token);
    at += token.text.length;
  }
  return tokens;
}

function tokenAt(text: string, at: number): Token {
  for (const [kind, rule] of RULES) {
    rule.lastIndex = at;
    const found = rule.exec(text)?.[0];
    if (found === undefined || found === "") continue;
    return { kind: kind === "key" && WORDS.has(found.toLowerCase()) ? "word" : kind, text: found, at };
  }
  // One whole character, also where it needs two units.
  return { kind: "odd", text: String.fromCodePoint(text.codePointAt(at) ?? 32), at };
}

/** What may be typed at the caret: the part of a token before it, and what kind of thing is expected there. */
export interface Slot {
  readonly expects: "key" | "operator" | "value" | "join";
  /** What is there already, from the start of its token to the caret. */
  readonly typed: string;
  readonly from: number;
  readonly to: number;
  /** The column of the comparison, where a value is expected. */
  readonly column: string | null;
}

export function slotAt(text: string, caret: number): Slot {
  const tokens = tokenize(text);
  const before = tokens.filter((token) => token.kind !== "space" && token.at + token.text.length < caret);
  const here = tokens.find((token) => token.kind !== "space" && token.at < caret && token.at + token.text.length >= caret);
  const isOpen = here !== undefined && here.kind !== "paren" && here.kind !== "operator";
  const done = isOpen || here === undefined ? before : [...before, here];
  const last = done.at(-1);
  const from = isOpen ? here.at : caret;
  const base = { typed: text.slice(from, caret), from, to: isOpen ? here.at + here.text.length : caret };
  const column = [...done].reverse().find((token) => token.kind === "key")?.text ?? null;
  return { ...base, column, expects: expected(last, done.at(-2)) };
}

function expected(last: Token | undefined, before: Token | undefined): Slot["expects"] {
  if (last === undefined) return "key";
  if (last.kind === "operator" || last.text === ",") return "value";
  if (last.kind === "key") return "operator";
  if (last.kind === "word") {
    const word = last.text.toLowerCase();
    if (word === "and" || word === "or" || word === "not") return "key";
    return word === "null" || word === "nan" ? "join" : "value";
  }
  if (last.text === "(") return before?.text.toLowerCase() === "in" ? "value" : "key";
  return "join";
}
