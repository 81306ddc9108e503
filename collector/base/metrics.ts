import { Counter, Gauge, Histogram, Registry } from "prom-client";

/**
 * The collector's own metrics, one set per running collector. The accounting identity holds for every signal at rest:
 * received = stored + duplicate + rejected + spooled + refused (`genspan_items_total` by outcome).
 * Labels come from closed sets only: no attribute value of a user is ever one.
 */
export type Metrics = ReturnType<typeof createMetrics>;

/** What can become of a received item. */
export const ITEM_OUTCOMES = ["stored", "duplicate", "rejected", "spooled", "refused"] as const;

const SECONDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 8];

/** One series of a counter. Counting is an addition; the sum reaches the metric when that is read, which would hash the labels for each request otherwise. */
export interface Series {
  inc(value?: number): void;
}

export function createMetrics() {
  const registry = new Registry();
  const registers = [registry];
  function counter<L extends string>(name: string, help: string, labelNames: readonly L[] = []) {
    const open: { readonly labels: Record<L, string>; sum: number }[] = [];
    function collect(this: Counter<L>): void {
      for (const each of open) {
        this.inc(each.labels, each.sum);
        each.sum = 0;
      }
    }
    function series(labels: Record<L, string>): Series {
      const each = { labels, sum: 0 };
      open.push(each);
      return {
        inc(value = 1) {
          each.sum += value;
        },
      };
    }
    return Object.assign(new Counter<L>({ name: `genspan_${name}`, help, labelNames, registers, collect }), { series });
  }
  const gauge = <L extends string>(name: string, help: string, labelNames: readonly L[] = []) =>
    new Gauge<L>({ name: `genspan_${name}`, help, labelNames, registers });
  const histogram = <L extends string>(name: string, help: string, labelNames: readonly L[] = [], buckets = SECONDS) =>
    new Histogram<L>({ name: `genspan_${name}`, help, labelNames, buckets, registers });
  return {
    registry,
    /** Items (spans, log records, data points) in decodable requests. */
    received: counter("received_items_total", "Items received, by signal.", ["signal"]),
    items: counter("items_total", "What became of received items: stored, duplicate, rejected, spooled or refused.", ["signal", "outcome"]),
    rejectedItems: counter("rejected_items_total", "Items refused for good, by reason.", ["signal", "reason"]),
    unacknowledged: counter(
      "unacknowledged_items_total",
      "Items stored although their sender was told to send them again, since the answer could wait no longer: rows = stored + unacknowledged.",
      ["signal"],
    ),
    conflicting: counter("conflicting_items_total", "Resent items whose content differs from the stored one.", ["signal"]),
    sanitized: counter("sanitized_total", "Values mended on arrival, by reason.", ["reason"]),
    requests: counter("requests_total", "Export requests answered, by protocol, signal and status.", ["protocol", "signal", "status"]),
    requestSeconds: histogram("request_duration_seconds", "From the first byte to the answer.", ["protocol", "signal"]),
    requestBytes: counter("request_bytes_total", "Bytes received, before and after inflating.", ["protocol", "form"]),
    pendingBytes: gauge("pending_bytes", "Request and row bytes waiting for a commit."),
    batches: counter("batches_total", "Database transactions of the writer, by path: fast or careful.", ["path"]),
    batchRows: histogram("batch_rows", "Rows per committed batch.", [], [1, 10, 50, 100, 250, 500, 1000, 2500, 5000, 10000]),
    commitSeconds: histogram("commit_duration_seconds", "From handing a batch to the database to its commit."),
    writeFailures: counter("write_failures_total", "Failed writes, by SQLSTATE class or cause.", ["cause"]),
    connectionsReplaced: counter("connections_replaced_total", "Database connections thrown away."),
    eventLoopLag: gauge("event_loop_lag_seconds", "99th percentile of the event loop delay over the last five seconds."),
    eventLoopStalls: counter("event_loop_stalls_total", "Times the event loop stood still for a second or longer."),
    defaultPartitionRows: gauge("default_partition_rows", "Rows in the DEFAULT partition, for good or until one of their own is made.", [
      "table",
    ]),
    gauge,
    counter,
    histogram,
  };
}
