import type { z } from "@hono/zod-openapi";
import { RequestError } from "../base/request-error.ts";

/** Reads one value of the query string; an empty one is as if it were not there, as in filters. Throws `bad_request` where it is missing, wrong or there twice. */
export function queryValue<T>(query: URLSearchParams, key: string, schema: z.ZodType<T>): T {
  const given = query.getAll(key).filter((value) => value !== "");
  if (given.length > 1) throw new RequestError("bad_request", `${key} may stand once only`);
  const read = schema.safeParse(given[0]);
  if (read.success) return read.data;
  throw new RequestError("bad_request", `${key}: ${read.error.issues.map(({ message }) => message).join("; ")}`);
}
