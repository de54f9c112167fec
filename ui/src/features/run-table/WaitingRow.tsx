/** A run that is on its way: its place is kept, so nothing jumps. */
export function WaitingRow({ ariaRow }: { readonly ariaRow: number }) {
  return (
    <div role="row" aria-rowindex={ariaRow} className="grid-row is-waiting">
      <span role="gridcell">
        <span className="sr-only">Loading</span>
      </span>
    </div>
  );
}
