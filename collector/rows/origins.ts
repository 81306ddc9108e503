import { hash } from "node:crypto";
import { DEPLOYMENT_ENVIRONMENT, DEPLOYMENT_ENVIRONMENT_NAME, SERVICE_NAME } from "../../sdk/attributes.ts";
import { ByteWriter } from "../base/byte-writer.ts";
import { VALUE_STRING } from "../otlp/attribute-list.ts";
import { keyTable } from "../otlp/key-table.ts";
import type { OriginView } from "../otlp/span-view.ts";
import { TYPE_BYTES, TYPE_NON_FINITE, writeJsonObject } from "../otlp/value-json.ts";
import type { OriginNote, SharedRow } from "./encoded-request.ts";
import type { IngestNotes } from "./ingest-notes.ts";
import { mendingsOf } from "./sent-notes.ts";

const SERVICE_NAME_KEY = keyTable.register(SERVICE_NAME);
const ENVIRONMENT_KEYS = [keyTable.register(DEPLOYMENT_ENVIRONMENT_NAME), keyTable.register(DEPLOYMENT_ENVIRONMENT)];

/** Names for spans whose resource names no service: a missing name, an empty one and one that is no text stay apart. */
const UNKNOWN_SERVICE = "unknown_service";
const EMPTY_SERVICE = "unknown_service:empty";
const NOT_TEXT_SERVICE = "unknown_service:not_text";

/** A resource as the rows below it need it. */
export interface ResourceFacts {
  readonly row: SharedRow;
  readonly serviceName: string;
  readonly environment: string | undefined;
}

const scratch = new ByteWriter();
/** What is no mending: the row says it in no other way, and has no place for it. */
const TYPES_ALONE = TYPE_BYTES | TYPE_NON_FINITE;

/** Resource and scope ids are hashes of their content, so every collector finds the same row without asking. */
export function readResource(origin: OriginView, projectId: number, request: Buffer): ResourceFacts {
  const row = sharedRow("resources", { origin, projectId, request });
  return { row, serviceName: clean(serviceName(origin)), environment: environment(origin) };
}

/** The scope's row, or undefined when the request names no scope at all. */
export function readScope(origin: OriginView, projectId: number, request: Buffer): SharedRow | undefined {
  if (!origin.present && origin.schemaUrlSize === 0) return undefined;
  return sharedRow("scopes", { origin, projectId, request });
}

interface SharedInput {
  readonly origin: OriginView;
  readonly projectId: number;
  readonly request: Buffer;
}

function sharedRow(table: "resources" | "scopes", input: SharedInput): SharedRow {
  const { origin, projectId, request } = input;
  const mended: OriginNote[] = [];
  const note = (path: string, all: number): void => {
    const flags = all & ~TYPES_ALONE;
    if (flags !== 0) mended.push({ path, flags });
  };
  const kind = table === "resources" ? "resource" : "scope";
  scratch.clear();
  writeJsonObject(scratch, origin.attributes, (index, flags) => note(pathOf(kind, origin.attributes.name(index)), flags));
  const attributes = scratch.view().toString("utf8");
  const slice = (path: string, offset: number, size: number): string | null => {
    if (size === 0) return null;
    note(`${kind}.${path}`, mendingsOf(request.subarray(offset, offset + size)));
    return clean(request.toString("utf8", offset, offset + size));
  };
  const name = slice("name", origin.nameOffset, origin.nameSize);
  const version = slice("version", origin.versionOffset, origin.versionSize);
  const schemaUrl = slice("schema_url", origin.schemaUrlOffset, origin.schemaUrlSize);
  const dropped = origin.droppedAttributesCount;
  const id = hash("sha256", [table, name, version, schemaUrl, dropped, attributes].join("\u0000"), "hex").slice(0, 32);
  const row = { table, projectId, id, attributes, schemaUrl, droppedAttributesCount: dropped === 0 ? null : dropped, name, version };
  return mended.length === 0 ? row : { ...row, mended };
}

/** The service's name is a column of each item. */
const pathOf = (kind: string, key: string): string =>
  kind === "resource" && key === SERVICE_NAME ? "service_name" : `${kind}.attributes.${key}`;

/** Notes on an item what was mended in its resource or scope. */
export function noteOrigin(notes: IngestNotes, row: SharedRow | undefined): void {
  for (const { path, flags } of row?.mended ?? NOTHING) notes.mended(path, flags);
}

const NOTHING: readonly OriginNote[] = [];

function serviceName(origin: OriginView): string {
  const index = origin.attributes.find(SERVICE_NAME_KEY);
  if (index < 0) return UNKNOWN_SERVICE;
  const text = origin.attributes.text(index);
  if (text === undefined) return NOT_TEXT_SERVICE;
  return text === "" ? EMPTY_SERVICE : text;
}

function environment(origin: OriginView): string | undefined {
  for (const key of ENVIRONMENT_KEYS) {
    const index = origin.attributes.find(key);
    if (index >= 0 && origin.attributes.kinds[index] === VALUE_STRING && origin.attributes.b[index]! > 0) {
      return clean(origin.attributes.text(index) ?? "");
    }
  }
  return undefined;
}

const clean = (text: string): string => text.replaceAll("\u0000", "\uFFFD");
