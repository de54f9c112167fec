/** The canvas above the lines on which one of them is lifted. It exists only while it shows something. */
import type uPlot from "uplot";

export class FocusLayer {
  private canvas: HTMLCanvasElement | null = null;

  constructor(private readonly u: uPlot) {}

  /** Draw on the empty layer. */
  show(draw: (context: CanvasRenderingContext2D) => void): void {
    const { over, bbox } = this.u;
    const canvas = this.canvas ?? document.createElement("canvas");
    if (this.canvas === null) {
      canvas.className = "focus-layer";
      canvas.setAttribute("aria-hidden", "true");
      over.prepend(canvas);
      this.canvas = canvas;
    }
    if (canvas.width !== Math.round(bbox.width) || canvas.height !== Math.round(bbox.height)) {
      canvas.width = Math.round(bbox.width);
      canvas.height = Math.round(bbox.height);
    }
    const context = canvas.getContext("2d");
    if (context === null) return;
    context.clearRect(0, 0, canvas.width, canvas.height);
    draw(context);
  }

  hide(): void {
    this.canvas?.remove();
    this.canvas = null;
  }
}
