/** A link within the app that keeps the tenant of the page. */
import type { AnchorHTMLAttributes } from "react";
import { Link as RouterLink } from "wouter";
import { useTenantHref } from "./tenant";

interface Props extends Omit<AnchorHTMLAttributes<HTMLAnchorElement>, "href"> {
  readonly to: string;
}

export function Link({ to, ...rest }: Props) {
  return <RouterLink {...rest} href={useTenantHref()(to)} />;
}
