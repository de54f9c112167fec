/** A defect of the page, said as such: the rest of the app stays reachable. */
import { Component, type ReactNode } from "react";
import { Message } from "./Message";

interface State {
  readonly error: Error | null;
}

export class ErrorBoundary extends Component<{ readonly children: ReactNode }, State> {
  override state: State = { error: null };

  static getDerivedStateFromError(error: unknown): State {
    return { error: error instanceof Error ? error : new Error(String(error)) };
  }

  override render(): ReactNode {
    const { error } = this.state;
    if (error === null) return this.props.children;
    return (
      <main>
        <Message
          title="This page has a defect"
          tone="bad"
          actions={
            <button type="button" className="button" onClick={() => window.location.reload()}>
              Reload
            </button>
          }
        >
          {error.message}
        </Message>
      </main>
    );
  }
}
