import { QueryClient } from "@tanstack/react-query";
import { expect, test } from "vitest";
import { markStale } from "./stale";

test("a first answer that is on its way when something changes is asked for again", async () => {
  const client = new QueryClient();
  const asked: ((value: number) => void)[] = [];
  const queryFn = (): Promise<number> => new Promise((resolve) => asked.push(resolve));
  const queryKey = ["list"];
  const first = client.fetchQuery({ queryKey, queryFn });
  markStale(client, { queryKey, refetchType: "all" });
  markStale(client, { queryKey, refetchType: "all" });
  expect(asked).toHaveLength(1);
  asked[0]?.(1);
  await first;
  await Promise.resolve();
  expect(client.getQueryState(queryKey)?.isInvalidated).toBe(true);
});

test("an answer at hand is stale at once", async () => {
  const client = new QueryClient();
  await client.fetchQuery({ queryKey: ["list"], queryFn: () => Promise.resolve(1) });
  markStale(client, { queryKey: ["list"] });
  expect(client.getQueryState(["list"])?.isInvalidated).toBe(true);
});
