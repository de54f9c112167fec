/** Comma- or tab-separated text as rows (RFC 4180: quotes, doubled quotes, line breaks within quotes). */
export function parseCsv(text: string, most: number): { readonly rows: readonly (readonly string[])[]; readonly isCut: boolean } {
  const separator = separatorOf(text);
  const rows: string[][] = [];
  let row: string[] = [];
  let cell = "";
  let isQuoted = false;
  for (let i = 0; i < text.length; i++) {
    const char = text.charAt(i);
    if (isQuoted) {
      if (char !== '"') cell += char;
      else if (text.charAt(i + 1) === '"') {
        cell += '"';
        i++;
      } else isQuoted = false;
    } else if (char === '"' && cell === "") isQuoted = true;
    else if (char === separator) {
      row.push(cell);
      cell = "";
    } else if (char === "\n") {
      row.push(cell);
      rows.push(row);
      row = [];
      cell = "";
      if (rows.length >= most) return { rows, isCut: i + 1 < text.length };
    } else if (char !== "\r") cell += char;
  }
  if (cell !== "" || row.length > 0) rows.push([...row, cell]);
  return { rows, isCut: false };
}

function separatorOf(text: string): string {
  const line = text.slice(0, text.indexOf("\n") < 0 ? text.length : text.indexOf("\n"));
  const count = (char: string): number => line.split(char).length;
  return ["\t", ";"].reduce((best, char) => (count(char) > count(best) ? char : best), ",");
}
