import { ITEM_OUTCOMES, type Metrics } from "../../collector/base/metrics.ts";
import type { SignalTotals } from "./start-page.ts";

const NONE = { received: 0, stored: 0, duplicate: 0, rejected: 0, spooled: 0, refused: 0 };

/** What became of the items of each signal since the collector started; traces and logs always, others once they came. */
export async function itemTotals(metrics: Pick<Metrics, "received" | "items">): Promise<SignalTotals[]> {
  const totals = new Map(["traces", "logs"].map((signal) => [signal, { ...NONE, signal }]));
  const of = (signal: string) => {
    const known = totals.get(signal) ?? { ...NONE, signal };
    totals.set(signal, known);
    return known;
  };
  for (const { labels, value } of (await metrics.received.get()).values) of(String(labels.signal)).received += value;
  for (const { labels, value } of (await metrics.items.get()).values) {
    const outcome = ITEM_OUTCOMES.find((each) => each === labels.outcome);
    if (outcome !== undefined) of(String(labels.signal))[outcome] += value;
  }
  return [...totals.values()];
}
