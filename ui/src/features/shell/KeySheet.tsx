import { Dialog } from "../../ui/Dialog";
import { KeyList } from "./KeyList";

export function KeySheet({ onClose }: { readonly onClose: () => void }) {
  return (
    <Dialog label="Keys" onClose={onClose} className="key-sheet">
      <KeyList />
    </Dialog>
  );
}
