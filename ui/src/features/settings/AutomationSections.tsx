/** What the server does by itself: rules for those who may make them, webhooks for those who may see them. */
import { useQuery } from "@tanstack/react-query";
import { meQuery } from "../../api/access";
import { RulesSection } from "./RulesSection";
import { WebhooksSection } from "./WebhooksSection";

export function AutomationSections() {
  const { data: me } = useQuery(meQuery);
  // Who enters several tenants has named none yet, and a platform key enters none.
  if (me === undefined || me.tenant === null) return null;
  const may = (permission: string): boolean => me.permissions.includes(permission);
  return (
    <>
      {may("experiments.read") && <RulesSection mayChange={may("experiments.write")} maySeeWebhooks={may("webhooks.read")} />}
      {may("webhooks.read") && <WebhooksSection />}
    </>
  );
}
