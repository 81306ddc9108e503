import type { z } from "@hono/zod-openapi";
import { RequestError } from "../base/request-error.ts";

/** Reads one value of the query string. Throws `bad_request` where it is missing or wrong. */
export function queryValue<T>(query: URLSearchParams, key: string, schema: z.ZodType<T>): T {
  const read = schema.safeParse(query.get(key) ?? undefined);
  if (read.success) return read.data;
  throw new RequestError("bad_request", `${key}: ${read.error.issues.map(({ message }) => message).join("; ")}`);
}
