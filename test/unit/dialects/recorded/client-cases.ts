export type Row = Record<string, unknown>;

/** What one recorded body must come to. */
export type Expected =
  /** Traces: what each generation row says, in the order of dialects, then of spans; and the names of all spans where none of them is a call. */
  | { readonly signal: "traces"; readonly calls: readonly Row[]; readonly spans?: readonly string[] }
  /** Logs: what the events of each span tell about its call, in the order of the spans; or the records themselves where they name no span. */
  | { readonly signal: "logs"; readonly told: readonly Row[] }
  | { readonly signal: "logs"; readonly records: readonly Row[] }
  | { readonly signal: "metrics"; readonly points: number }
  /** A path that is none of OTLP's: 404. */
  | { readonly signal: "none" };

/** All bodies of one folder of recordings, with what its client was asked to do in each. */
export interface ClientCases {
  /** Folder under test/fixtures/clients. */
  readonly client: string;
  /** What made the spans, with the versions that it was recorded with. */
  readonly instrumentation: string;
  readonly bodies: Readonly<Record<string, Expected>>;
}

export const calls = (...rows: readonly Row[]): Expected => ({ signal: "traces", calls: rows });
export const noCalls = (...spans: readonly string[]): Expected => ({ signal: "traces", calls: [], spans });
export const told = (...rows: readonly Row[]): Expected => ({ signal: "logs", told: rows });
export const records = (...rows: readonly Row[]): Expected => ({ signal: "logs", records: rows });
export const metrics = (points: number): Expected => ({ signal: "metrics", points });
export const UNKNOWN_PATH: Expected = { signal: "none" };

/** The same cases of several bodies, made by one rule. */
export const casesBy = <T>(cases: Readonly<Record<string, T>>, expected: (each: T, name: string) => Expected): Record<string, Expected> =>
  Object.fromEntries(Object.entries(cases).map(([name, each]) => [name, expected(each, name)]));
