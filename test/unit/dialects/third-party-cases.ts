import { existsSync, readdirSync, readFileSync } from "node:fs";
import { transcodeJson } from "../../../collector/otlp/decode-json.ts";
import { type SpanSpec, tracesOf } from "../../support/otlp-json.ts";

/** Test data of other projects: not ours to copy, so it is read where it lies beside the repository. */
const FOLDER = new URL("../../../../shared/fixtures/dialects/", import.meta.url);

export interface ThirdPartyCase {
  readonly name: string;
  /** As protobuf. */
  readonly body: Buffer;
}

export const isThere = (folder: string): boolean => existsSync(new URL(`${folder}/`, FOLDER));

/** Every trace in the files of a folder, wherever it stands in them. */
export function thirdPartyCases(folder: string): ThirdPartyCase[] {
  const url = new URL(`${folder}/`, FOLDER);
  const files = readdirSync(url).filter((file) => file.endsWith(".json"));
  return files.flatMap((file) => casesIn(JSON.parse(readFileSync(new URL(file, url), "utf8")), file));
}

function casesIn(value: unknown, name: string): ThirdPartyCase[] {
  if (Array.isArray(value)) return value.flatMap((entry, i) => casesIn(entry, `${name}/${i}`));
  if (typeof value !== "object" || value === null) return [];
  if ("resourceSpans" in value) return [{ name, body: protobufOf(value) }];
  if (isSnapshot(value)) return [{ name, body: protobufOf(tracesOf(...spansOf(value))) }];
  return Object.entries(value).flatMap(([key, entry]) => casesIn(entry, `${name}/${key}`));
}

const protobufOf = (body: object): Buffer => transcodeJson(Buffer.from(JSON.stringify(body)), "traces");

/** Snapshots of the AI SDK's tests: names, attributes and events without ids or times; the first span is around the others. */
interface Snapshot {
  readonly source: object;
  readonly spans: readonly Pick<SpanSpec, "name" | "attributes" | "events">[];
}
const isSnapshot = (value: object): value is Snapshot => "source" in value && "spans" in value;

const spansOf = ({ spans }: Snapshot): SpanSpec[] =>
  spans.map((span, i) => ({ ...span, events: span.events ?? [], id: `s${i}`, scope: "ai", ...(i === 0 ? {} : { parent: "s0" }) }));
