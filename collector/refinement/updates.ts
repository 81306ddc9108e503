import * as A from "../../sdk/attributes.ts";
import { isObject, type Json, numberOf, openJson, stringOf } from "../dialects/json.ts";
import { currencyOf, isAmount } from "../model/price.ts";
import { shortIdentifier } from "../rows/values.ts";
import type { ChildSpan } from "./facts.ts";

/** A column set by a late update, and the span that says so. */
export interface UpdatedColumns {
  readonly columns: Readonly<Record<string, unknown>>;
  readonly spanId: string;
}

/** Columns that an update may set, by the attribute that says so. Both halves of an entity are set together. */
const COLUMNS: readonly (readonly [name: string, attributes: Readonly<Record<string, string>>])[] = [
  ["entity", { entity_type: A.GENSPAN_ENTITY_TYPE, entity_id: A.GENSPAN_ENTITY_ID }],
  ["item", { item_id: A.GENSPAN_ITEM_ID }],
  ["run", { run_id: A.GENSPAN_RUN_ID }],
  ["user", { user_id: A.USER_ID }],
  ["conversation", { conversation_id: A.GEN_AI_CONVERSATION_ID }],
  ["quality_status", { quality_status: A.GENSPAN_QUALITY_STATUS }],
  ["quality_issues", { quality_issues: A.GENSPAN_QUALITY_ISSUES }],
  ["quality_score", { quality_score: A.GENSPAN_QUALITY_SCORE }],
  ["cost", { cost_amount: A.GENSPAN_COST_AMOUNT, cost_currency: A.GENSPAN_COST_CURRENCY, cost_source: A.GENSPAN_COST_SOURCE }],
];

/** Indexes cover these columns. */
const INDEXED = new Set(["entity_type", "entity_id", "run_id", "item_id", "quality_status"]);

const fitting = ([column, value]: readonly [string, unknown]): readonly [string, unknown] =>
  INDEXED.has(column) && typeof value === "string" ? [column, shortIdentifier(value)] : [column, value];

type Column = readonly [string, unknown];

/** A cost keeps its own currency and source: those of the amount that it replaces say nothing about it. Nothing without an amount that makes sense. */
function wholeCost(given: readonly Column[]): readonly Column[] {
  const told = new Map(given);
  const amount = told.get("cost_amount");
  const isKnown = isAmount(numberOf(amount as Json));
  if (!isKnown && amount !== null) return [];
  const source = isKnown ? (told.get("cost_source") ?? "sent") : null;
  return [
    ["cost_amount", amount],
    ["cost_currency", currencyOf(stringOf(told.get("cost_currency") as Json)) ?? null],
    ["cost_source", source],
  ];
}

/** What the update records below one call set, the latest record winning by name. */
export function updatesOf(children: readonly ChildSpan[]): ReadonlyMap<string, UpdatedColumns> {
  const records = children
    .filter(({ attributes }) => attributes[A.GENSPAN_RECORD] === "update")
    .toSorted((a, b) =>
      a.startTime === b.startTime ? (a.spanId < b.spanId ? -1 : 1) : a.startMillis - b.startMillis || (a.startTime < b.startTime ? -1 : 1),
    );
  const found = new Map<string, UpdatedColumns>();
  let metadata: object = {};
  let additions = 0;
  for (const { attributes, spanId } of records) {
    const added = openJson(attributes[A.GENSPAN_METADATA]);
    if (isObject(added)) {
      metadata = { ...metadata, ...added };
      additions++;
      // With their number, so that one that arrives late and is not the latest is noticed too.
      found.set("metadata", {
        columns: { additional_metadata: metadata },
        spanId: additions === 1 ? spanId : `${spanId}+${additions - 1}`,
      });
    }
    for (const [name, sources] of COLUMNS) {
      const columns = Object.entries(sources).map(([column, attribute]) => [column, attributes[attribute]] as const);
      // null is a value: what a command of the API makes unknown again.
      const given = columns.filter(([, value]) => value !== undefined && value !== "");
      const whole = name === "cost" ? wholeCost(given) : given;
      if (whole.length > 0) found.set(name, { columns: Object.fromEntries(whole.map(fitting)), spanId });
    }
  }
  return found;
}
