/**
 * The lines of a console as a person would have seen them: colours are taken off, and of a line that was written over
 * again and again (a progress bar) the last state stays.
 */
// Control sequences (colours, cursor), operating system commands (titles), and lone escapes.
// oxlint-disable-next-line no-control-regex -- control characters are what this is about
const ESCAPES = /\u001b(?:\[[0-9;?]*[ -/]*[@-~]|\][^\u0007\u001b]*(?:\u0007|\u001b\\)|[@-Z\\-_])/g;

export function linesOf(text: string): string[] {
  const lines = text.split("\n").map(seen);
  if (lines.at(-1) === "") lines.pop();
  return lines;
}

function seen(line: string): string {
  const plain = line.includes("\u001b") ? line.replace(ESCAPES, "") : line;
  const whole = plain.endsWith("\r") ? plain.slice(0, -1) : plain;
  const over = whole.lastIndexOf("\r");
  return over < 0 ? whole : whole.slice(over + 1);
}

/** The lines that hold the search, by number. Upper case in the search asks for upper case. */
export function findLines(lines: readonly string[], search: string): number[] {
  if (search === "") return [];
  const isExact = search !== search.toLowerCase();
  const found: number[] = [];
  lines.forEach((line, i) => {
    if ((isExact ? line : line.toLowerCase()).includes(search)) found.push(i);
  });
  return found;
}

/** A line in parts, those at odd places being the search. */
export function marked(line: string, search: string): string[] {
  if (search === "") return [line];
  const text = search === search.toLowerCase() ? line.toLowerCase() : line;
  const parts: string[] = [];
  let from = 0;
  for (let at = text.indexOf(search); at >= 0; at = text.indexOf(search, from)) {
    parts.push(line.slice(from, at), line.slice(at, at + search.length));
    from = at + search.length;
  }
  return [...parts, line.slice(from)];
}
