import { useEffect, useState } from "react";

const MINUTE_MS = 60_000;

/** The present, to the minute: ages need no more. A new `revision` of the data brings it up to date as well. */
export function useNow(revision = 0): number {
  const [now, setNow] = useState(() => Date.now());
  const [seen, setSeen] = useState(revision);
  if (seen !== revision) {
    setSeen(revision);
    // oxlint-disable-next-line react/purity -- the clock is what this hook is for
    setNow(Date.now());
  }
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), MINUTE_MS);
    return () => clearInterval(timer);
  }, []);
  return now;
}
