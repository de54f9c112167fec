/** In the corner of a secured server: who one is, and the way out. */
import { useQuery } from "@tanstack/react-query";
import { meQuery } from "../../api/access";
import { Menu } from "../../ui/Menu";
import { leave } from "./use-sign-in";

export function Person() {
  const { data: me } = useQuery(meQuery);
  if (me === undefined || me.mode === "open") return null;
  return (
    <Menu
      label="Account"
      button={<span className="person-name">{me.name}</span>}
      buttonLabel={`Signed in as ${me.name}`}
      buttonClass="person"
      items={[{ label: me.session_id === null ? "Forget this key" : "Sign out", hint: me.role, onSelect: () => void leave() }]}
    />
  );
}
