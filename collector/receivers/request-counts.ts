import type { Metrics } from "../base/metrics.ts";
import type { Signal } from "../base/signal.ts";

/** What every request counts in, looked up once: the labels would be hashed for each request otherwise. */
export interface RequestCounts {
  answered(status: number): void;
  took(seconds: number): void;
  wireBytes(bytes: number): void;
  inflatedBytes(bytes: number): void;
}

/** The status of a request that was taken, which nearly every one has. */
const TAKEN = { http: 200, grpc: 0 } as const;

/** `signal` is empty for requests to no known method. */
export function requestCounts(
  { requests, requestSeconds, requestBytes }: Metrics,
  protocol: keyof typeof TAKEN,
  signal: Signal | "",
): RequestCounts {
  const taken = requests.series({ protocol, signal, status: String(TAKEN[protocol]) });
  const seconds = requestSeconds.labels(protocol, signal);
  const [wire, inflated] = [requestBytes.series({ protocol, form: "wire" }), requestBytes.series({ protocol, form: "inflated" })];
  return {
    answered: (status) => (status === TAKEN[protocol] ? taken.inc() : requests.inc({ protocol, signal, status: String(status) })),
    took: (value) => seconds.observe(value),
    wireBytes: (bytes) => wire.inc(bytes),
    inflatedBytes: (bytes) => inflated.inc(bytes),
  };
}
