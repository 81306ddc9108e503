import { z } from "zod";
import { RequestError } from "../base/request-error.ts";
import { LIST_CURRENCY } from "../query/cost.ts";
import { type Filter, parseFilter } from "../query/filter/parse.ts";
import { METRIC_NAMES, METRICS } from "./metrics.ts";

export const COMPARISONS = { below: "<", at_most: "<=", above: ">", at_least: ">=" } as const;

/** What a rule watches. */
export const Condition = z
  .strictObject({
    metric: z.enum(METRIC_NAMES),
    /** As in addresses: `model=gpt-5&env=production`. */
    filter: z.string().max(4_000).default(""),
    compare: z.enum(["below", "at_most", "above", "at_least"]),
    threshold: z.number(),
    /** Length of a window; of metrics that take single things in turn, how far back these may lie. */
    window_seconds: z.int().min(60).max(2_592_000),
    /** So many windows, or things, in a row must be so. */
    consecutive: z.int().min(1).max(100).default(1),
    /** What a window without anything to measure means: it is no zero. */
    no_data: z.enum(["ok", "firing"]).default("ok"),
    /** Of costs: the one that is added up, in the code of ISO 4217. */
    currency: z
      .string()
      .regex(/^[A-Z]{3}$/, "is three letters, such as USD")
      .optional(),
  })
  .superRefine(({ metric, currency }, context) => {
    if (currency !== undefined && METRICS[metric].money === undefined)
      context.addIssue({ code: "custom", path: ["currency"], message: `${metric} is no amount of money` });
  });
export type Condition = z.infer<typeof Condition>;

/** The currency in which a condition measures: that of the shipped prices unless it names one; undefined where its metric is no amount of money. */
export const currencyOfCondition = ({ metric, currency }: Pick<Condition, "metric" | "currency">): string | undefined =>
  METRICS[metric].money === undefined ? undefined : (currency ?? LIST_CURRENCY);

/** Throws RequestError where the filter does not fit the metric. */
export function filterOf(condition: Pick<Condition, "metric" | "filter">, now?: Date): Filter {
  const query = new URLSearchParams(condition.filter);
  for (const key of ["from", "to", "sort", "limit", "after"])
    if (query.has(key)) throw new RequestError("bad_request", `filter: ${key} has no place here, the rule has windows of its own`);
  return parseFilter(query, METRICS[condition.metric].noun, now === undefined ? {} : { now });
}

/** Whether a measured value is what the rule waits for; nothing measured is what `no_data` says. */
export function holds({ compare, threshold, no_data: noData }: Condition, value: number | null): boolean {
  if (value === null) return noData === "firing";
  switch (compare) {
    case "below":
      return value < threshold;
    case "at_most":
      return value <= threshold;
    case "above":
      return value > threshold;
    case "at_least":
      return value >= threshold;
  }
}

/** `run_success_rate < 0.5 for 3 in a row`. */
export const conditionText = (condition: Condition): string => {
  const { metric, compare, threshold, consecutive, window_seconds: window, filter } = condition;
  return [
    [metric, COMPARISONS[compare], threshold, currencyOfCondition(condition)].filter((word) => word !== undefined).join(" "),
    METRICS[metric].kind === "window" ? ` over ${window} s` : "",
    consecutive > 1 ? `, ${consecutive} times in a row` : "",
    filter === "" ? "" : `, where ${filter}`,
  ].join("");
};
