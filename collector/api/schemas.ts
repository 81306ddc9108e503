import { z } from "@hono/zod-openapi";
import { readInstant } from "../query/filter/instant.ts";
import type { Noun } from "../query/filter/noun.ts";
import { DEFAULT_LIMIT, MAX_LIMIT } from "../query/filter/parse.ts";

/** Shapes that several routes answer with. */

export const ErrorAnswer = z
  .object({
    error: z.object({
      code: z.string(),
      message: z.string(),
      faults: z.array(z.string()).optional().openapi({ description: "one line per wrong field" }),
    }),
  })
  .openapi("Error");

/** A number of the database; the text of its digits where a double would lose some. */
export const exactNumber = z.union([z.number(), z.string()]);

/** ISO 8601 in UTC with microseconds. */
export const time = z.string().openapi({ example: "2026-11-21T08:15:00.123456Z" });

/** A time of a body as the filter takes it, read as ISO 8601 in UTC. */
export const instant = z.string().transform((text, context) => {
  const read = readInstant(text, new Date());
  if (read === undefined) context.addIssue({ code: "custom", message: "is no time such as -24h or 2026-11-21" });
  return read ?? "";
});

/** One page of a list. */
export const pageOf = <Row extends z.ZodType>(row: Row) =>
  z.object({
    data: z.array(row),
    next: z.string().nullable().openapi({ description: "give it as `after` for the next page; null at the end" }),
  });

/** A parameter of the query string as the documentation shows it. */
export interface QueryParameter {
  readonly name: string;
  readonly description: string;
  readonly repeated?: boolean;
  readonly example?: string;
}

/** Every key that a filter of `noun` takes, as parameters of the OpenAPI document. */
export function filterParameters(noun: Noun): QueryParameter[] {
  const keys = Object.entries(noun.keys).map(([name, { description }]) => ({ name, description, repeated: true }));
  return [
    { name: "from", description: "rows from this time on: -24h, 2026-11-21, 2026-11-21T08:15:00Z", example: "-24h" },
    { name: "to", description: "rows before this time", example: "now" },
    ...keys,
    ...(noun.attribute === undefined ? [] : [{ name: "attr.http.route", description: "any attribute by its name: attr.<name>=value" }]),
    ...(noun.words === undefined
      ? []
      : [{ name: "q", description: "words that all stand in prompt, answer, reasoning or error; narrow it by from and to" }]),
    {
      name: "sort",
      description: `-time (newest first), or ${Object.keys(noun.sorts).join(", ")}; with - the largest first`,
      example: "-time",
    },
    { name: "limit", description: `rows of a page, 1 to ${MAX_LIMIT}; without it ${DEFAULT_LIMIT}`, example: "50" },
    { name: "after", description: "cursor of the page before" },
  ];
}
