import type { Reader, ReadScope } from "../reader.ts";
import type { ExportColumn } from "./columns.ts";
import { type ExportRow, jsonLine } from "./format.ts";
import { type ExactJson, exactText, NumberText, parseExact } from "./json-numbers.ts";
import { type MovedContent, otlpOrigin, otlpSpan, type StoredSpan, schemaUrl } from "./otlp-span.ts";
import { createSurroundings, keyOf } from "./surroundings.ts";

type JsonObject = { readonly [key: string]: ExactJson };

/**
 * Turns pages of spans into JSON lines that stand for themselves: the row's columns, then `resource`, `scope` and the `content` that left the span for
 * its generation row.
 */
export function createSpanLines(
  reader: Reader,
  scope: ReadScope,
  columns: readonly ExportColumn[],
): (page: readonly ExportRow[]) => Promise<string> {
  const surround = createSurroundings(reader, scope);
  return async (page) => {
    const spans = page.map((row) => Object.fromEntries(columns.map(({ name }, i) => [name, row[i] ?? null])) as StoredSpan);
    const { resources, scopes, content } = await surround(spans);
    const lines = spans.map((span, i) => {
      const more = {
        resource: originText(resources.get(span["resource_id"] ?? "")),
        scope: originText(scopes.get(span["scope_id"] ?? "")),
        content: JSON.stringify(content.get(keyOf(span)) ?? null),
      };
      const members = Object.entries(more).map(([name, text]) => `,"${name}":${text}`);
      return `${jsonLine(columns, page[i] ?? []).slice(0, -"}\n".length)}${members.join("")}}\n`;
    });
    return lines.join("");
  };
}

/** A resource or scope as JSON, without its id; its attributes are JSON already. */
function originText(row: StoredSpan | undefined): string {
  if (row === undefined) return "null";
  const { id: _, attributes, ...texts } = row;
  return `{"attributes":${attributes ?? "{}"},${JSON.stringify(texts).slice(1)}`;
}

/** Such lines as one request of OTLP/JSON. Throws SyntaxError or TypeError for a line that is none. */
export const requestOfSpanLines = (lines: readonly string[]): string =>
  JSON.stringify({ resourceSpans: lines.map((line) => resourceSpansOf(parseExact(line) as JsonObject)) });

function resourceSpansOf({ resource, scope, content, ...columns }: JsonObject): object {
  const resourceRow = storedOf(resource);
  const scopeRow = storedOf(scope);
  const span = otlpSpan(storedOf(columns) ?? {}, storedOf(content) as MovedContent | undefined);
  const scopeSpans = { ...(scopeRow === undefined ? {} : { scope: otlpOrigin(scopeRow) }), spans: [span], ...schemaUrl(scopeRow) };
  return { resource: otlpOrigin(resourceRow), scopeSpans: [scopeSpans], ...schemaUrl(resourceRow) };
}

/** An object's members as the database would give them: numbers and JSON as text. */
function storedOf(value: ExactJson | undefined): StoredSpan | undefined {
  if (value === undefined || value === null) return undefined;
  if (typeof value !== "object" || Array.isArray(value) || value instanceof NumberText) throw new TypeError("not an object");
  return Object.fromEntries(Object.entries(value).map(([name, member]) => [name, textOf(member)]));
}

const textOf = (member: ExactJson): string | null => (member === null || typeof member === "string" ? member : exactText(member));
