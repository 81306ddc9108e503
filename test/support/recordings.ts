import { existsSync, readdirSync, readFileSync } from "node:fs";
import { gunzipSync } from "node:zlib";
import type { Signal } from "../../collector/base/signal.ts";
import { transcodeJson } from "../../collector/otlp/decode-json.ts";

const CLIENTS = new URL("../fixtures/clients/", import.meta.url);

/** A body recorded from a real client, and how it was sent. */
export interface Recording {
  readonly client: string;
  readonly name: string;
  readonly path: string;
  readonly contentType: string;
  readonly contentEncoding: string;
  /** As stored: inflated. */
  readonly body: Buffer;
}

interface Meta {
  readonly url: string;
  readonly contentType: string;
  readonly contentEncoding: string;
}

/** All recorded bodies of a client folder under test/fixtures/clients. */
export function recordingsOf(client: string): Recording[] {
  const folder = new URL(`${client}/`, CLIENTS);
  return readdirSync(folder)
    .filter((file) => file.endsWith(".meta.json"))
    .map((file) => recording(client, file.slice(0, -".meta.json".length)));
}

/** All recorded bodies of all clients. */
export const allRecordings = (): Recording[] =>
  readdirSync(CLIENTS, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .flatMap(({ name }) => recordingsOf(name));

export function recording(client: string, name: string): Recording {
  const folder = new URL(`${client}/`, CLIENTS);
  const meta = JSON.parse(readFileSync(new URL(`${name}.meta.json`, folder), "utf8")) as Meta;
  const file = ["pb", "json"].map((ending) => `${name}.${ending}`).find((entry) => existsSync(new URL(entry, folder)));
  if (file === undefined) throw new Error(`no body for ${client}/${name}`);
  const stored = readFileSync(new URL(file, folder));
  const body = stored[0] === 0x1f && stored[1] === 0x8b ? gunzipSync(stored) : stored;
  return { client, name, path: meta.url, contentType: meta.contentType, contentEncoding: meta.contentEncoding, body };
}

/** The signal that a recording is of; undefined for metrics and for what went to another path. */
export const signalOf = ({ path }: Recording): Signal | undefined =>
  path.endsWith("traces") ? "traces" : path.endsWith("logs") ? "logs" : undefined;

/** A recorded body as protobuf, to be changed at will. */
export const protobufOf = ({ body, contentType }: Recording, signal: Signal): Buffer =>
  contentType.includes("json") ? transcodeJson(body, signal) : Buffer.from(body);
