/** Whose data is shown. A tenant exists as soon as it is named, so the name is typed; known ones are remembered here. */
import { useState } from "react";
import { useLocation } from "wouter";
import { recentTenants, rememberTenant } from "../../lib/recent";
import { Icon } from "../../ui/Icon";
import { Popover } from "../../ui/Popover";
import { isTenant, useTenant } from "../../ui/tenant";

const DEFAULT = "default";

export function TenantSwitch() {
  const tenant = useTenant();
  return (
    <Popover
      label="Tenant"
      buttonClass="tenant"
      className="tenant-panel"
      button={
        <>
          {tenant ?? DEFAULT}
          <Icon name="down" size={12} />
        </>
      }
      buttonLabel={`Tenant ${tenant ?? DEFAULT}: switch`}
    >
      {(close) => <Choose current={tenant ?? DEFAULT} onClose={close} />}
    </Popover>
  );
}

function Choose({ current, onClose }: { readonly current: string; readonly onClose: () => void }) {
  const [name, setName] = useState("");
  const [, navigate] = useLocation();
  const go = (next: string): void => {
    rememberTenant(next);
    onClose();
    // Another tenant has other experiments, so the way leads home.
    navigate(next === DEFAULT ? "/" : `/?tenant=${next}`);
  };
  const others = [...new Set([DEFAULT, ...recentTenants()])];
  const isBad = name !== "" && !isTenant(name);
  return (
    <>
      {others.map((other) => (
        <button key={other} type="button" className="menu-item" aria-pressed={other === current} onClick={() => go(other)}>
          <span className="menu-tick">{other === current && <Icon name="check" size={12} />}</span>
          {other}
        </button>
      ))}
      <form
        className="tenant-form"
        onSubmit={(event) => {
          event.preventDefault();
          if (isTenant(name)) go(name);
        }}
      >
        <input
          className="field"
          placeholder="Other tenant"
          aria-label="Name of another tenant"
          aria-invalid={isBad}
          value={name}
          onChange={(event) => setName(event.target.value)}
        />
        <button type="submit" className="button" disabled={!isTenant(name)}>
          Switch
        </button>
      </form>
      {isBad && <p className="popover-note">Lower-case letters, digits, - and _, at most 63.</p>}
    </>
  );
}
