/** The canvas above the lines on which one of them is lifted. It exists only while it shows something. */
import type uPlot from "uplot";

/** Lines reach over the edge of the plotting area by half of their width. */
const RIM_PIXELS = 2;

export class FocusLayer {
  private canvas: HTMLCanvasElement | null = null;

  constructor(private readonly u: uPlot) {}

  /** Draw on the empty layer, in the coordinates of uPlot's canvas. */
  show(draw: (context: CanvasRenderingContext2D) => void): void {
    const { over, bbox } = this.u;
    const canvas = this.canvas ?? document.createElement("canvas");
    if (this.canvas === null) {
      canvas.className = "focus-layer";
      canvas.setAttribute("aria-hidden", "true");
      over.prepend(canvas);
      this.canvas = canvas;
    }
    const rim = RIM_PIXELS * devicePixelRatio;
    const [width, height] = [Math.round(bbox.width + 2 * rim), Math.round(bbox.height + 2 * rim)];
    if (canvas.width !== width || canvas.height !== height) {
      canvas.width = width;
      canvas.height = height;
    }
    const context = canvas.getContext("2d");
    if (context === null) return;
    context.setTransform(1, 0, 0, 1, 0, 0);
    context.clearRect(0, 0, width, height);
    context.translate(rim - bbox.left, rim - bbox.top);
    draw(context);
  }

  hide(): void {
    this.canvas?.remove();
    this.canvas = null;
  }
}
