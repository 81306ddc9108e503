import { startTracing, type TracingOptions, type TracingProblem } from "../../../sdk/index.ts";
import { type Sink, type SunkSpan, startSink } from "./sink.ts";

export interface Recorded {
  readonly spans: readonly SunkSpan[];
  readonly problems: readonly TracingProblem[];
  /** The records of generations, without attempts, updates and announcements. */
  readonly generations: readonly SunkSpan[];
  /** Records of ours of one kind. */
  of(record: string): SunkSpan[];
}

const FLUSH_MS = 3_000;

/** Everything that the SDK sends while `work` runs. By default without announcements, so that there is one record for each thing. */
export async function recorded(work: () => unknown, options: TracingOptions = {}): Promise<Recorded> {
  const sink: Sink = await startSink();
  const problems: TracingProblem[] = [];
  const tracing = startTracing({
    endpoint: sink.url,
    pending: "off",
    exitHooks: false,
    onProblem: (problem) => problems.push(problem),
    ...options,
  });
  try {
    await work();
    await tracing.flush({ timeoutMillis: FLUSH_MS });
  } finally {
    await tracing.shutdown({ timeoutMillis: FLUSH_MS });
    await sink.close();
  }
  const spans = sink.spans();
  const of = (record: string): SunkSpan[] => spans.filter(({ attributes }) => attributes["genspan.record"] === record);
  const generations = spans.filter(({ attributes, scope }) => scope === "@genspan/sdk" && attributes["genspan.record"] === undefined);
  return { spans, problems, generations, of };
}

/** The messages of an attribute, read. */
export const messagesOf = (span: SunkSpan | undefined, name: "input" | "output"): unknown =>
  JSON.parse(String(span?.attributes[`gen_ai.${name}.messages`] ?? "null"));
