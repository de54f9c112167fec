/** Whose data is shown. A tenant exists as soon as it is named, so the name is typed; known ones are remembered here. */
import { useQuery } from "@tanstack/react-query";
import { useEffect, useState } from "react";
import { useLocation } from "wouter";
import { meQuery } from "../../api/access";
import { recentTenants, rememberTenant } from "../../lib/recent";
import { Icon } from "../../ui/Icon";
import { Popover } from "../../ui/Popover";
import { isTenant, useTenant } from "../../ui/tenant";

const DEFAULT = "default";

export function TenantSwitch() {
  const named = useTenant();
  const [, navigate] = useLocation();
  const { data: me } = useQuery(meQuery);
  const granted = me === undefined || me.mode === "open" ? null : me.tenants;
  const tenant = named ?? me?.tenant ?? DEFAULT;
  const [first] = granted ?? [];
  // A key of several tenants shows nothing until one of them is named.
  const isUnnamed = named === null && me?.tenant === null && first !== undefined;
  useEffect(() => {
    if (isUnnamed) navigate(`/?tenant=${first}`, { replace: true });
  }, [isUnnamed, first, navigate]);
  return (
    <Popover
      label="Tenant"
      buttonClass="tenant"
      className="tenant-panel"
      button={
        <>
          {tenant}
          <Icon name="down" size={12} />
        </>
      }
      buttonLabel={`Tenant ${tenant}: switch`}
    >
      {(close) => <Choose current={tenant} granted={granted} onClose={close} />}
    </Popover>
  );
}

interface ChooseProps {
  readonly current: string;
  /** The tenants that the key opens; null where any may be named. */
  readonly granted: readonly string[] | null;
  readonly onClose: () => void;
}

function Choose({ current, granted, onClose }: ChooseProps) {
  const [name, setName] = useState("");
  const [, navigate] = useLocation();
  const go = (next: string): void => {
    rememberTenant(next);
    onClose();
    // Another tenant has other experiments, so the way leads home.
    navigate(next === DEFAULT && granted === null ? "/" : `/?tenant=${next}`);
  };
  const others = granted ?? [...new Set([DEFAULT, ...recentTenants()])];
  const isBad = name !== "" && !isTenant(name);
  return (
    <>
      {others.map((other) => (
        <button key={other} type="button" className="menu-item" aria-pressed={other === current} onClick={() => go(other)}>
          <span className="menu-tick">{other === current && <Icon name="check" size={12} />}</span>
          {other}
        </button>
      ))}
      {granted === null && <form
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
      </form>}
      {isBad && <p className="popover-note">Lower-case letters, digits, - and _, at most 63.</p>}
    </>
  );
}
