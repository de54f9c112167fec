/**
 * The read-out under the pointer: one element for the page, moved and filled without React. Values are written as text,
 * never as markup. Rows are sorted best first; the line nearest to the pointer is always among them.
 */
import { formatValue } from "./numbers";

export interface ReadoutRow {
  readonly id: string;
  readonly color: string;
  readonly isDashed: boolean;
  readonly label: string;
  readonly detail: string;
  readonly value: number;
}

export interface ReadoutContent {
  readonly title: string;
  readonly x: string;
  readonly rows: readonly ReadoutRow[];
  readonly nearest: string | null;
  /** What lies behind the nearest value: raw mean, extremes, number of points. */
  readonly note: string | null;
}

const MAX_ROWS = 9;
const GAP = 12;

export class Readout {
  private readonly rows: HTMLElement[] = [];
  private readonly title = make("b", "");
  private readonly place = make("span", "");
  private readonly list = make("div", "");
  private readonly more = make("div", "readout-more");
  private isShown = false;

  constructor(private readonly root: HTMLElement) {
    root.classList.add("readout");
    // The top layer: above panels, and above a panel that is enlarged in a dialog.
    root.popover = "manual";
    const head = make("div", "readout-head");
    head.append(this.title, this.place);
    root.replaceChildren(head, this.list, this.more);
  }

  show(content: ReadoutContent, pointer: { x: number; y: number }): void {
    this.title.textContent = content.title;
    this.place.textContent = content.x;
    const shown = pickRows(content);
    shown.forEach((row, i) => this.fill(i, row, row.id === content.nearest));
    for (const [i, element] of this.rows.entries()) element.hidden = i >= shown.length;
    const left = content.rows.length - shown.length;
    this.more.textContent = [left > 0 ? `${left} more` : null, content.note].filter((part) => part !== null).join(" · ");
    this.more.hidden = this.more.textContent === "";
    if (!this.isShown) this.root.showPopover();
    this.isShown = true;
    this.move(pointer);
  }

  hide(): void {
    if (this.isShown) this.root.hidePopover();
    this.isShown = false;
  }

  private fill(i: number, row: ReadoutRow, isNearest: boolean): void {
    let element = this.rows[i];
    if (element === undefined) {
      element = make("div", "readout-row");
      element.append(make("i", ""), make("span", ""), make("small", ""), make("em", ""));
      this.rows.push(element);
      this.list.append(element);
    }
    element.classList.toggle("is-nearest", isNearest);
    const [swatch, label, detail, value] = element.children;
    if (swatch instanceof HTMLElement) {
      swatch.style.color = row.color;
      swatch.classList.toggle("is-dashed", row.isDashed);
    }
    if (label !== undefined) label.textContent = row.label;
    if (detail !== undefined) detail.textContent = row.detail;
    if (value !== undefined) value.textContent = formatValue(row.value);
  }

  /** Beside the pointer, on the side with room, and never past the edge of the window. */
  private move({ x, y }: { x: number; y: number }): void {
    const { offsetWidth: width, offsetHeight: height } = this.root;
    const isRight = x + GAP + width <= innerWidth - 4;
    const left = isRight ? x + GAP : Math.max(4, x - GAP - width);
    const top = Math.max(4, Math.min(y + GAP, innerHeight - height - 4));
    this.root.style.transform = `translate(${Math.round(left)}px, ${Math.round(top)}px)`;
  }
}

/** The best rows, with the nearest one kept in view at its place in the order. */
export function pickRows({ rows, nearest }: Pick<ReadoutContent, "rows" | "nearest">): readonly ReadoutRow[] {
  if (rows.length <= MAX_ROWS) return rows;
  const top = rows.slice(0, MAX_ROWS);
  if (nearest === null || top.some((row) => row.id === nearest)) return top;
  const wanted = rows.find((row) => row.id === nearest);
  return wanted === undefined ? top : [...rows.slice(0, MAX_ROWS - 1), wanted];
}

function make(tag: string, className: string): HTMLElement {
  const element = document.createElement(tag);
  if (className !== "") element.className = className;
  return element;
}
