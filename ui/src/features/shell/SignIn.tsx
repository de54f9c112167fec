/** The server is secured: it wants a key before it says anything. */
import { useState } from "react";
import { preferences, setPreferences } from "../../lib/preferences";
import { Dialog } from "../../ui/Dialog";

export function SignIn({ onClose }: { readonly onClose: () => void }) {
  const [text, setText] = useState("");
  const isRefused = preferences().apiKey !== "";
  return (
    <Dialog label="API key" onClose={onClose} className="sign-in">
      <form
        onSubmit={(event) => {
          event.preventDefault();
          setPreferences({ apiKey: text.trim() });
          onClose();
        }}
      >
        <p>
          {isRefused
            ? "The server does not accept the key that this browser keeps: it may have been revoked. Enter another."
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
          <button type="submit" className="button is-primary" disabled={text.trim() === ""}>
            Use this key
          </button>
        </div>
      </form>
    </Dialog>
  );
}
