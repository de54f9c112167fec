import { expect, test } from "vitest";
import { ApiError } from "../../api/client";
import { queryErrorOf } from "./query-error";

test("the place of an error is read from the server's sentence", () => {
  const message = "expected an operator: = != < (at character 8)\n  status foo\n         ^";
  const error = new ApiError(`filter: ${message}`, 400, "invalid_filter", [{ field: "filter", message }]);
  expect(queryErrorOf(error)).toEqual({ message: "Expected an operator: = != <", at: 7 });
});

test("an error of the whole has no place, and other errors are not the filter's", () => {
  const long = new ApiError("filter: is longer than 8 KiB", 400, "invalid_filter", [{ field: "filter", message: "is longer than 8 KiB" }]);
  expect(queryErrorOf(long)).toEqual({ message: "Is longer than 8 KiB", at: null });
  expect(queryErrorOf(new ApiError("gone", 404, "experiment_not_found"))).toBeNull();
  expect(queryErrorOf(new Error("x"))).toBeNull();
});
