import { expect, test } from "vitest";
import { isWorthRetrying, problemOf } from "./client";

function answer(body: unknown, type: string, status = 404): Response {
  return new Response(JSON.stringify(body), { status, statusText: "Not Found", headers: { "content-type": type } });
}

test("a problem is said in the server's words", async () => {
  const body = { detail: "no run has this id", code: "run_not_found", errors: null };
  const error = await problemOf(answer(body, "application/problem+json"));
  expect([error.message, error.status, error.code]).toEqual(["no run has this id", 404, "run_not_found"]);
});

test("so is a refusal in MLflow's words", async () => {
  const body = { error_code: "RESOURCE_DOES_NOT_EXIST", message: "Registered Model with name=none not found" };
  const error = await problemOf(answer(body, "application/json"));
  expect([error.message, error.code]).toEqual(["Registered Model with name=none not found", "RESOURCE_DOES_NOT_EXIST"]);
});

test.each([
  ["JSON of somebody between", answer({ reason: "?" }, "application/json")],
  ["a page", new Response("<h1>no</h1>", { status: 404, statusText: "Not Found", headers: { "content-type": "text/html" } })],
])("%s is said by its status", async (_what, response) => {
  expect((await problemOf(response)).message).toBe("The server answered 404 Not Found.");
});

test("what is refused or not there is not worth asking again; what was not answered is", async () => {
  expect(isWorthRetrying(await problemOf(answer({}, "application/json", 404)))).toBe(false);
  expect(isWorthRetrying(await problemOf(answer({}, "application/json", 429)))).toBe(true);
  expect(isWorthRetrying(await problemOf(answer({}, "application/json", 503)))).toBe(true);
  expect(isWorthRetrying(new TypeError("network"))).toBe(true);
});
