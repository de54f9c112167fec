import { MOD } from "../../lib/keyboard";
import { keyGroups } from "./key-list";

export function KeyList() {
  return (
    <div className="key-list">
      {keyGroups(MOD).map((group) => (
        <section key={group.name}>
          <h3>{group.name}</h3>
          <dl>
            {group.keys.map(([keys, does]) => (
              <div key={keys}>
                <dt>
                  <kbd>{keys}</kbd>
                </dt>
                <dd>{does}</dd>
              </div>
            ))}
          </dl>
        </section>
      ))}
    </div>
  );
}
