/** Puts a text on the clipboard, and says that it did. */
import { useEffect, useState, type ReactNode } from "react";
import { copyText } from "../lib/clipboard";

interface Props {
  /** The text, asked for when the button is pressed. */
  readonly text: () => string;
  readonly label: string;
  readonly className?: string;
  readonly children: ReactNode;
  readonly done?: ReactNode;
}

const SAID_MS = 1_600;

export function CopyButton({ text, label, className, children, done = "Copied" }: Props) {
  const [state, setState] = useState<"rest" | "done" | "failed">("rest");
  useEffect(() => {
    if (state === "rest") return;
    const timer = setTimeout(() => setState("rest"), SAID_MS);
    return () => clearTimeout(timer);
  }, [state]);
  return (
    <button
      type="button"
      className={className}
      aria-label={label}
      title={label}
      onClick={() => {
        copyText(text()).then(
          () => setState("done"),
          () => setState("failed"),
        );
      }}
    >
      {state === "rest" && children}
      {state === "done" && done}
      {state === "failed" && "Not allowed"}
      <span className="sr-only" role="status">
        {state === "done" ? "Copied" : ""}
      </span>
    </button>
  );
}
