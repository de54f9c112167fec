/** A figure of plotly, drawn by code that is fetched when the first one is shown. */
import { lazy, Suspense } from "react";
import { Loading } from "../../ui/Message";

const FigureView = lazy(async () => ({ default: (await import("./FigureView")).FigureView }));

export function LazyFigure({ bytes }: { readonly bytes: ArrayBuffer }) {
  return (
    <Suspense fallback={<Loading />}>
      <FigureView bytes={bytes} />
    </Suspense>
  );
}
