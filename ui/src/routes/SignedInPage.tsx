/** Where the identity provider sends people back to: what it says becomes a session, and the page they came from. */
import { useEffect, useState } from "react";
import { useLocation } from "wouter";
import { finishSignIn } from "../api/sign-in";
import { useTitle } from "../features/shell/use-title";
import { setSession } from "../lib/session";
import { Link } from "../ui/Link";
import { ErrorMessage, Loading, Message } from "../ui/Message";

/** What came back with the address, read once: a code is good for one use, and it leaves the address at once. */
const came = new URLSearchParams(window.location.pathname.endsWith("/signed-in") ? window.location.search : "");
let isTaken = false;

export function SignedInPage() {
  useTitle("Signing in");
  const [, navigate] = useLocation();
  const [error, setError] = useState<Error | null>(null);
  const refusal = came.get("error_description") ?? came.get("error");
  useEffect(() => {
    if (isTaken) {
      navigate("/", { replace: true });
      return;
    }
    isTaken = true;
    window.history.replaceState(null, "", window.location.pathname);
    if (refusal !== null) return;
    const finish = async (): Promise<void> => {
      try {
        const begun = await finishSignIn({ code: came.get("code") ?? "", state: came.get("state") ?? "", iss: came.get("iss") });
        setSession(begun.secret);
        navigate(begun.return_to, { replace: true });
      } catch (failed) {
        setError(failed instanceof Error ? failed : new Error(String(failed)));
      }
    };
    void finish();
  }, [navigate, refusal]);
  if (error === null && refusal === null) return <Loading label="Signing in" />;
  const again = (
    <Link className="button is-primary" to="/">
      Begin again
    </Link>
  );
  return (
    <main className="page-message">
      <h1 className="sr-only">Signing in</h1>
      {refusal !== null && (
        <Message title="The identity provider did not sign you in" actions={again}>
          It says: {refusal}
        </Message>
      )}
      {error !== null && (
        <>
          <ErrorMessage title="You are not signed in" error={error} />
          {again}
        </>
      )}
    </main>
  );
}
