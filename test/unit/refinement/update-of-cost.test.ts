import { expect, it } from "vitest";
import { updatesOf } from "../../../collector/refinement/updates.ts";

const child = (attributes: Record<string, unknown>) => ({
  spanId: "1".repeat(16),
  parentSpanId: "2".repeat(16),
  startTime: "2026-11-21 00:00:00+00",
  startMillis: 0,
  endTime: undefined,
  durationMillis: undefined,
  failed: false,
  statusMessage: undefined,
  attributes: { "genspan.record": "update", ...attributes },
  environment: undefined,
  service: undefined,
});
const costOf = (attributes: Record<string, unknown>) => updatesOf([child(attributes)]).get("cost")?.columns;

it.each([
  ["a whole one", { "genspan.cost.amount": 2, "genspan.cost.currency": "EUR", "genspan.cost.source": "invoice" }, [2, "EUR", "invoice"]],
  ["an amount alone, which is of no currency that was told of another", { "genspan.cost.amount": 2 }, [2, null, "sent"]],
  ["one that is none any more", { "genspan.cost.amount": null, "genspan.cost.currency": null }, [null, null, null]],
  ["a currency in small letters", { "genspan.cost.amount": 2, "genspan.cost.currency": "eur" }, [2, "EUR", "sent"]],
  ["an amount of 0", { "genspan.cost.amount": 0, "genspan.cost.currency": "EUR" }, [0, "EUR", "sent"]],
])("an update of the cost: %s", (_, attributes, [amount, currency, source]) => {
  expect(costOf(attributes)).toEqual({ cost_amount: amount, cost_currency: currency, cost_source: source });
});

it.each([
  ["a currency alone", { "genspan.cost.currency": "EUR" }],
  ["a negative amount", { "genspan.cost.amount": -1, "genspan.cost.currency": "EUR" }],
  ["an amount that is no number", { "genspan.cost.amount": "a lot" }],
])("%s updates no cost", (_, attributes) => expect(costOf(attributes)).toBeUndefined());
