/** Where in the filter the server found something wrong: its message names the character. */
import { ApiError } from "../../api/client";

export interface QueryError {
  readonly message: string;
  /** Offset of the character, null when the whole is meant. */
  readonly at: number | null;
}

const PLACE = /\s*\(at character (\d+)\)[\s\S]*$/;

export function queryErrorOf(error: Error | null): QueryError | null {
  if (!(error instanceof ApiError) || error.code !== "invalid_filter") return null;
  const text = error.fields[0]?.message ?? error.message;
  const place = PLACE.exec(text);
  const message = text.replace(PLACE, "");
  return {
    message: message.charAt(0).toUpperCase() + message.slice(1),
    at: place?.[1] === undefined ? null : Number(place[1]) - 1,
  };
}
