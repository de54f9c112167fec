/** The server is secured: it wants a person or a key before it says anything. */
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { waysQuery } from "../../api/sign-in";
import { preferences, setPreferences } from "../../lib/preferences";
import { hasSession, setSession } from "../../lib/session";
import { Dialog } from "../../ui/Dialog";
import { ErrorMessage } from "../../ui/Message";
import { useLeaveToSignIn } from "./use-sign-in";

export function SignIn({ onClose }: { readonly onClose: () => void }) {
  const { data: ways } = useQuery(waysQuery);
  const provider = ways?.provider ?? null;
  const [wasSignedIn] = useState(hasSession);
  return (
    <Dialog label={provider === null ? "API key" : "Sign in"} onClose={onClose} className="sign-in">
      {provider !== null && <WithProvider provider={provider} wasSignedIn={wasSignedIn} />}
      <WithKey isSecond={provider !== null} onClose={onClose} />
    </Dialog>
  );
}

function WithProvider({ provider, wasSignedIn }: { readonly provider: string; readonly wasSignedIn: boolean }) {
  const leaving = useLeaveToSignIn();
  return (
    <div className="sign-in-provider">
      {wasSignedIn && <p>Your session has ended. Sign in again to go on where you were.</p>}
      <button type="button" className="button is-primary" disabled={leaving.isPending} onClick={() => leaving.mutate()}>
        Sign in with {provider}
      </button>
      {leaving.error !== null && <ErrorMessage title="The sign-in could not begin" error={leaving.error} />}
    </div>
  );
}

function WithKey({ isSecond, onClose }: { readonly isSecond: boolean; readonly onClose: () => void }) {
  const [text, setText] = useState("");
  const isRefused = preferences().apiKey !== "" && !hasSession();
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        setSession(null);
        setPreferences({ apiKey: text.trim() });
        onClose();
      }}
    >
      <p>
        {isRefused
          ? "The server does not accept the key that this browser keeps: it may have been revoked. Enter another."
          : isSecond
            ? "Or enter an API key."
            : "This server is secured. Enter a key that its operator made for you."}{" "}
        It is kept in this browser until you remove it in the settings.
      </p>
      <div className="sign-in-row">
        <input
          className="field"
          type="password"
          autoComplete="off"
          aria-label="API key"
          value={text}
          onChange={(event) => setText(event.target.value)}
        />
        <button type="submit" className={isSecond ? "button" : "button is-primary"} disabled={text.trim() === ""}>
          Use this key
        </button>
      </div>
    </form>
  );
}
