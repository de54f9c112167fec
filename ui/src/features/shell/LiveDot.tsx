/** Whether the page follows the server: live with how many runs are running, or lost since when. */
import type { LinkState } from "../../api/live";
import { clock } from "../../lib/time";

export function LiveDot({ state }: { readonly state: LinkState }) {
  if (state.kind === "connecting") return null;
  if (state.kind === "lost") {
    return (
      <span className="live is-lost" role="status">
        <i aria-hidden="true" />
        Offline
      </span>
    );
  }
  return (
    <span className={`live${state.running > 0 ? "" : " is-resting"}`} role="status">
      <i aria-hidden="true" />
      Live
      {state.running > 0 && <b>{state.running} running</b>}
    </span>
  );
}

export function LostNotice({ state, onRetry }: { readonly state: LinkState; readonly onRetry: () => void }) {
  if (state.kind !== "lost") return null;
  return (
    <div className="notice" role="status">
      <i aria-hidden="true" />
      <span>
        <b>Live updates paused.</b> The server cannot be reached; trying again at {clock(state.retryAt)}.
        {state.lastAt !== null && ` Showing data up to ${clock(state.lastAt)}.`}
      </span>
      <button type="button" onClick={onRetry}>
        Reconnect now
      </button>
    </div>
  );
}
