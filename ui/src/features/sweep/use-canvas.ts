/** A canvas that fills its element: sharp on every screen, drawn again when its size or what it shows changes. */
import { useEffect, useRef, useState, type RefObject } from "react";

export interface Size {
  readonly width: number;
  readonly height: number;
}

export function useSize(element: RefObject<HTMLElement | null>): Size {
  const [size, setSize] = useState<Size>({ width: 0, height: 0 });
  useEffect(() => {
    const target = element.current;
    if (target === null) return;
    const sizes = new ResizeObserver(() => setSize({ width: target.clientWidth, height: target.clientHeight }));
    sizes.observe(target);
    return () => sizes.disconnect();
  }, [element]);
  return size;
}

export type Draw = (context: CanvasRenderingContext2D, size: Size) => void;

export function useCanvas({ width, height }: Size, draw: Draw): RefObject<HTMLCanvasElement | null> {
  const canvas = useRef<HTMLCanvasElement>(null);
  useEffect(() => {
    const element = canvas.current;
    if (element === null || width === 0 || height === 0) return;
    const ratio = devicePixelRatio;
    element.width = Math.round(width * ratio);
    element.height = Math.round(height * ratio);
    element.style.width = `${width}px`;
    element.style.height = `${height}px`;
    const context = element.getContext("2d");
    if (context === null) return;
    const frame = requestAnimationFrame(() => {
      context.setTransform(ratio, 0, 0, ratio, 0, 0);
      context.clearRect(0, 0, width, height);
      draw(context, { width, height });
    });
    return () => cancelAnimationFrame(frame);
  }, [width, height, draw]);
  return canvas;
}
