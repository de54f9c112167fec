/** Whether an element is in view, or near enough to be soon. */
import { useEffect, useState, type RefObject } from "react";

export function useInView(element: RefObject<Element | null>, margin: string): boolean {
  const [isInView, setIsInView] = useState(false);
  useEffect(() => {
    const target = element.current;
    if (target === null) return;
    const observer = new IntersectionObserver(
      (entries) => {
        const latest = entries.at(-1);
        if (latest !== undefined) setIsInView(latest.isIntersecting);
      },
      { rootMargin: margin },
    );
    observer.observe(target);
    return () => observer.disconnect();
  }, [element, margin]);
  return isInView;
}
