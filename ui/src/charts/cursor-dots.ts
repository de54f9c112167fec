/** The dots where lines cross the cursor: plain elements that are moved, so that reading never redraws a canvas. */

export interface Dot {
  readonly left: number;
  readonly top: number;
  readonly color: string;
}

export class CursorDots {
  private readonly dots: HTMLElement[] = [];
  private shown = 0;

  constructor(
    private readonly host: HTMLElement,
    private readonly rim: () => string,
  ) {}

  show(dots: readonly Dot[]): void {
    dots.forEach(({ left, top, color }, i) => {
      const element = this.dots[i] ?? this.add();
      element.style.transform = `translate(${left}px, ${top}px)`;
      element.style.backgroundColor = color;
      element.style.outlineColor = this.rim();
      if (i >= this.shown) element.hidden = false;
    });
    for (let i = dots.length; i < this.shown; i++) {
      const element = this.dots[i];
      if (element !== undefined) element.hidden = true;
    }
    this.shown = dots.length;
  }

  private add(): HTMLElement {
    const element = document.createElement("div");
    element.className = "cursor-dot";
    element.hidden = true;
    this.host.append(element);
    this.dots.push(element);
    return element;
  }
}
