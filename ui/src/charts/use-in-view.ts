/** Whether an element is in view, or near enough to be soon. */
import { useEffect, useLayoutEffect, useState, type RefObject } from "react";

export function useInView(element: RefObject<Element | null>, marginPixels: number): boolean {
  const [isInView, setIsInView] = useState(false);
  // At first by its place: the observer speaks a frame later, and what is in view waits for its data until then.
  useLayoutEffect(() => {
    const place = element.current?.getBoundingClientRect();
    if (place === undefined || place.height === 0) return;
    // oxlint-disable-next-line react/set-state-in-effect -- where it stands is known once the page has been laid out
    setIsInView(place.top < window.innerHeight + marginPixels && place.bottom > -marginPixels);
  }, [element, marginPixels]);
  useEffect(() => {
    const target = element.current;
    if (target === null) return;
    const observer = new IntersectionObserver(
      (entries) => {
        const latest = entries.at(-1);
        if (latest !== undefined) setIsInView(latest.isIntersecting);
      },
      { rootMargin: `${marginPixels}px` },
    );
    observer.observe(target);
    return () => observer.disconnect();
  }, [element, marginPixels]);
  return isInView;
}
