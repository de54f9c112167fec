/** What the query input offers at the caret. */
import type { KeyInfo } from "../../api/keys";
import { RUN_STATUSES } from "../../lib/run-status";
import { keyText } from "./columns";
import type { Slot } from "./query-tokens";

export interface Offer {
  readonly text: string;
  readonly hint: string;
}

const ATTRIBUTES: readonly Offer[] = [
  { text: "status", hint: "running, finished, …" },
  { text: "name", hint: "name of the run" },
  { text: "start_time", hint: "start_time > '-7d'" },
  { text: "end_time", hint: "time" },
  { text: "duration", hint: "duration > '2h'" },
  { text: "created_by", hint: "who" },
  { text: "id", hint: "id of the run" },
  { text: "description", hint: "text" },
];
const ORDERED: readonly Offer[] = [
  { text: "<", hint: "less" },
  { text: "<=", hint: "at most" },
  { text: ">", hint: "more" },
  { text: ">=", hint: "at least" },
  { text: "between", hint: "between 1 and 2" },
];
const EQUAL: readonly Offer[] = [
  { text: "=", hint: "equal" },
  { text: "!=", hint: "other" },
];
const TEXTUAL: readonly Offer[] = [
  { text: "like", hint: "like 'adam%'" },
  { text: "=~", hint: "regular expression" },
  { text: "in", hint: "in ('a', 'b')" },
];
const NULLS: readonly Offer[] = [
  { text: "is null", hint: "absent" },
  { text: "is not null", hint: "present" },
];
const JOINS: readonly Offer[] = [
  { text: "and", hint: "both" },
  { text: "or", hint: "either" },
];
const MOST = 12;
const KIND_HINTS = { metric: "metric", param: "param", tag: "tag" } as const;

export function offersFor(slot: Slot, keys: readonly KeyInfo[]): Offer[] {
  switch (slot.expects) {
    case "key":
      return keyOffers(slot.typed, keys);
    case "operator":
      return startingWith(slot.typed, operators(slot.column ?? ""));
    case "value":
      return slot.column === "status" ? startingWith(slot.typed, statusOffers()) : [];
    case "join":
      return startingWith(slot.typed, JOINS);
  }
}

function keyOffers(typed: string, keys: readonly KeyInfo[]): Offer[] {
  const wanted = typed.toLowerCase();
  const all = [
    ...ATTRIBUTES,
    ...keys.map((key) => ({
      text: keyText(key.kind, key.key),
      hint: `${KIND_HINTS[key.kind]}, ${key.runs === 1 ? "1 run" : `${key.runs} runs`}`,
    })),
  ];
  const starts: Offer[] = [];
  const contains: Offer[] = [];
  for (const offer of all) {
    const text = offer.text.toLowerCase();
    if (text === wanted) continue;
    const bare = text.slice(text.indexOf(".") + 1);
    if (text.startsWith(wanted) || bare.startsWith(wanted)) starts.push(offer);
    else if (text.includes(wanted)) contains.push(offer);
  }
  return [...starts, ...contains].slice(0, MOST);
}

function operators(column: string): readonly Offer[] {
  if (column.startsWith("metrics.")) return [...ORDERED, ...EQUAL, ...NULLS];
  if (column === "status") return [...EQUAL, ...TEXTUAL.slice(2)];
  if (column.endsWith("_time") || column === "duration") return ORDERED;
  return [...EQUAL, ...TEXTUAL, ...ORDERED, ...NULLS];
}

function statusOffers(): Offer[] {
  return RUN_STATUSES.map((status) => ({ text: `'${status}'`, hint: "" }));
}

function startingWith(typed: string, offers: readonly Offer[]): Offer[] {
  const wanted = typed.toLowerCase();
  return offers.filter(({ text }) => text.toLowerCase().startsWith(wanted) && text.toLowerCase() !== wanted);
}

/** The text after taking an offer, and where the caret then stands. */
export function take(text: string, slot: Slot, offer: Offer): { text: string; caret: number } {
  const after = text.slice(slot.to);
  const inserted = `${offer.text}${after.startsWith(" ") ? "" : " "}`;
  return {
    text: text.slice(0, slot.from) + inserted + after,
    caret: slot.from + offer.text.length + 1,
  };
}
