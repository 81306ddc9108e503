import type { Literal } from "../base/bytes-view.ts";
import { createRecent } from "../base/recent.ts";
import type { OriginView, SpanView } from "../otlp/span-view.ts";
import { constantField, copyNull, copyString } from "./copy-row.ts";
import { copyUuid, type OriginFields } from "./encode-span.ts";
import type { SharedRow } from "./encoded-request.ts";
import { type ResourceFacts, readResource, readScope } from "./origins.ts";
import type { RequestBuilder } from "./request-builder.ts";

/** The resource and the scope of an item, as its rows need them. */
export interface Origins {
  readonly resource: ResourceFacts;
  readonly scope: SharedRow | undefined;
  readonly fields: OriginFields;
}

interface KnownResource {
  readonly facts: ResourceFacts;
  readonly serviceName: Literal;
  readonly resourceId: Literal;
}

interface KnownScope {
  readonly row: SharedRow | undefined;
  readonly scopeId: Literal;
}

/** Processes and libraries that are remembered: a fleet sends the same ones again with every request. */
const REMEMBERED = 256;
/** A larger message than this is read each time. */
const MAX_REMEMBERED_BYTES = 4_096;

const resources = createRecent<KnownResource>(REMEMBERED);
const scopes = createRecent<KnownScope>(REMEMBERED);

/** The view's resource and scope, read once for all the items below them. Shared by spans and logs. */
export function createOriginCache() {
  let resourceSerial = -1;
  let scopeSerial = -1;
  let resource: KnownResource | undefined;
  let origins: Origins | undefined;
  return {
    clear(): void {
      resourceSerial = -1;
      scopeSerial = -1;
      origins = undefined;
    },
    of(view: Pick<SpanView, "arena" | "resource" | "scope">, builder: RequestBuilder): Origins {
      if (origins !== undefined && view.resource.serial === resourceSerial && view.scope.serial === scopeSerial) return origins;
      const { request } = view.arena;
      if (resource === undefined || view.resource.serial !== resourceSerial) {
        resource = remembered(resources, { origin: view.resource, projectId: builder.projectId, request }, knownResource);
      }
      const scope = remembered(scopes, { origin: view.scope, projectId: builder.projectId, request }, knownScope);
      builder.share(resource.facts.row);
      if (scope.row !== undefined) builder.share(scope.row);
      resourceSerial = view.resource.serial;
      scopeSerial = view.scope.serial;
      const { facts, serviceName, resourceId } = resource;
      origins = { resource: facts, scope: scope.row, fields: { serviceName, resourceId, scopeId: scope.scopeId } };
      return origins;
    },
  };
}

interface OriginInput {
  readonly origin: OriginView;
  readonly projectId: number;
  readonly request: Buffer;
}

/** What `read` makes of a resource or scope, without reading one again that came with the same bytes. */
function remembered<T>(known: ReturnType<typeof createRecent<T>>, input: OriginInput, read: (input: OriginInput) => T): T {
  const key = bytesOf(input);
  if (key === undefined) return read(input);
  let made = known.get(key);
  if (made === undefined) {
    made = read(input);
    known.set(key, made);
  }
  return made;
}

/** All that the rows are made of, as one text: project, schema URL and message. Undefined where it did not come in one piece. */
function bytesOf({ origin, projectId, request }: OriginInput): string | undefined {
  const { start, end, present, schemaUrlOffset, schemaUrlSize } = origin;
  if ((present && end === 0) || end - start + schemaUrlSize > MAX_REMEMBERED_BYTES) return undefined;
  const schemaUrl = schemaUrlSize === 0 ? "" : request.toString("latin1", schemaUrlOffset, schemaUrlOffset + schemaUrlSize);
  return `${projectId} ${present} ${schemaUrlSize} ${schemaUrl}${request.toString("latin1", start, end)}`;
}

function knownResource({ origin, projectId, request }: OriginInput): KnownResource {
  const facts = readResource(origin, projectId, request);
  return {
    facts,
    serviceName: constantField((out) => copyString(out, facts.serviceName)),
    resourceId: constantField((out) => copyUuid(out, facts.row.id)),
  };
}

function knownScope({ origin, projectId, request }: OriginInput): KnownScope {
  const row = readScope(origin, projectId, request);
  return { row, scopeId: constantField((out) => (row === undefined ? copyNull(out) : copyUuid(out, row.id))) };
}
