/** The button with the name of the open view, and the list of views behind it, which is loaded when it is first opened. */
import { useQuery } from "@tanstack/react-query";
import { lazy, Suspense } from "react";
import { viewsQuery } from "../../api/views";
import { Icon } from "../../ui/Icon";
import { Loading } from "../../ui/Message";
import { Popover } from "../../ui/Popover";
import type { Tab } from "../experiment/tabs";
import type { ViewControl } from "../view/use-view";
import { isChanged } from "./state";
import "./saved-views.css";

const ViewPanel = lazy(async () => ({ default: (await import("./ViewPanel")).ViewPanel }));

export interface ViewMenuProps {
  readonly experimentId: string;
  readonly tab: Tab;
  readonly control: Pick<ViewControl, "view" | "change" | "open">;
}

export function ViewMenu(props: ViewMenuProps) {
  const { view } = props.control;
  // Only a page that was opened by a view needs to know the views before it is asked.
  const query = useQuery({ ...viewsQuery(props.experimentId), enabled: view.savedView !== null });
  const open = query.data?.find((one) => one.id === view.savedView);
  const hasChanges = open !== undefined && isChanged(view, open.state);
  return (
    <Popover
      label="Saved views"
      hotkey="v"
      className="views-panel"
      buttonClass="views-button"
      buttonLabel={open === undefined ? "Saved views" : `View ${open.name}${hasChanges ? ", changed" : ""}: saved views`}
      button={
        <>
          <Icon name="bookmark" />
          <span className="views-word">{open === undefined ? "Views" : open.name}</span>
          {hasChanges && <i className="views-changed" title="Changed since it was saved" />}
          <Icon name="down" size={12} />
        </>
      }
    >
      {(close) => (
        <Suspense fallback={<Loading />}>
          <ViewPanel {...props} onClose={close} />
        </Suspense>
      )}
    </Popover>
  );
}
