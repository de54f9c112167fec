/** While it is dragged the slider speaks to the panels over the bus; the view hears when the hand rests. */
import { useEffect, useRef } from "react";
import type { ChartBus } from "../../charts/bus";
import { Select } from "./Select";
import { SMOOTHING_KINDS, type Smoothing, type SmoothingKind } from "../../series/smoothing";

const KIND_NAMES: Record<SmoothingKind, string> = { ema: "EMA", gaussian: "Gaussian", mean: "Mean", none: "None" };
const REST_MS = 250;

interface SmoothingProps {
  readonly smoothing: Smoothing;
  readonly bus: ChartBus;
  readonly onChange: (smoothing: Smoothing) => void;
}

export function SmoothingControl({ smoothing, bus, onChange }: SmoothingProps) {
  const slider = useRef<HTMLInputElement>(null);
  const output = useRef<HTMLOutputElement>(null);
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined);
  const { kind, weight } = smoothing;
  const isOff = kind === "none";

  useEffect(() => {
    if (slider.current === null || output.current === null) return;
    slider.current.value = String(weight);
    showWeight(slider.current, output.current, weight);
  }, [weight]);
  useEffect(() => () => clearTimeout(timer.current), []);

  const onInput = (): void => {
    if (slider.current === null || output.current === null) return;
    const next = { kind, weight: Number(slider.current.value) };
    showWeight(slider.current, output.current, next.weight);
    bus.smooth(next);
    clearTimeout(timer.current);
    timer.current = setTimeout(() => onChange(next), REST_MS);
  };
  return (
    <div className="smoothing">
      <label htmlFor="smoothing-weight">Smoothing</label>
      <input
        id="smoothing-weight"
        ref={slider}
        type="range"
        min="0"
        max="0.99"
        step="0.01"
        defaultValue={weight}
        disabled={isOff}
        onInput={onInput}
      />
      <output ref={output} htmlFor="smoothing-weight" />
      <Select
        label="Kind of smoothing"
        value={kind}
        onChange={(value) => {
          const next = SMOOTHING_KINDS.find((name) => name === value);
          if (next !== undefined) onChange({ kind: next, weight });
        }}
      >
        {SMOOTHING_KINDS.map((name) => (
          <option key={name} value={name}>
            {KIND_NAMES[name]}
          </option>
        ))}
      </Select>
    </div>
  );
}

function showWeight(slider: HTMLInputElement, output: HTMLOutputElement, weight: number): void {
  slider.style.setProperty("--share", `${(weight / 0.99) * 100}%`);
  output.textContent = weight.toFixed(2);
}
