/** What stands where content would: nothing yet, nothing found, or an error with its cause and a way on. */
import { useEffect, useState, type ReactNode } from "react";

interface Props {
  readonly title: string;
  readonly children?: ReactNode;
  readonly tone?: "plain" | "bad";
  readonly actions?: ReactNode;
}

export function Message({ title, children, tone = "plain", actions }: Props) {
  return (
    <div className={`message is-${tone}`} role={tone === "bad" ? "alert" : undefined}>
      <b>{title}</b>
      {children !== undefined && <p>{children}</p>}
      {actions !== undefined && <div className="message-actions">{actions}</div>}
    </div>
  );
}

interface ErrorProps {
  readonly title: string;
  readonly error: Error;
  readonly onRetry?: () => void;
  /** In place of trying again. */
  readonly actions?: ReactNode;
}

export function ErrorMessage({ title, error, onRetry, actions }: ErrorProps) {
  return (
    <Message
      title={title}
      tone="bad"
      actions={
        actions ?? (onRetry && (
          <button type="button" className="button" onClick={onRetry}>
            Try again
          </button>
        ))
      }
    >
      {sentence(error.message)}
    </Message>
  );
}

/** The server writes what it says as one part of a sentence. */
function sentence(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1) + (/[.!?]$/.test(text) ? "" : ".");
}

const QUIET_MS = 200;

/** Nothing at first: most answers come before a word about waiting could be read. */
export function Loading({ label = "Loading" }: { readonly label?: string }) {
  const [isLate, setIsLate] = useState(false);
  useEffect(() => {
    const timer = setTimeout(() => setIsLate(true), QUIET_MS);
    return () => clearTimeout(timer);
  }, []);
  return (
    <p className="loading" role="status">
      {isLate ? `${label}…` : ""}
    </p>
  );
}
