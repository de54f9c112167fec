/** Leaving for the identity provider and signing out again. */
import { useMutation } from "@tanstack/react-query";
import { useRouter } from "wouter";
import { signOut, startSignIn } from "../../api/sign-in";
import { setPreferences } from "../../lib/preferences";
import { hasSession, setSession } from "../../lib/session";

/** Goes to the provider; the person comes back to the page that is seen now. */
export function useLeaveToSignIn() {
  const { base } = useRouter();
  return useMutation({
    mutationFn: async () => {
      const { pathname, search } = window.location;
      const here = pathname.startsWith(base) ? pathname.slice(base.length) : pathname;
      window.location.assign(await startSignIn(here.startsWith("/") ? here + search : "/"));
    },
  });
}

/** Ends the session on the server too; a key is only forgotten by this browser. */
export async function leave(): Promise<void> {
  if (!hasSession()) {
    setPreferences({ apiKey: "" });
    return;
  }
  try {
    await signOut();
  } finally {
    setSession(null);
  }
}
