import { isRecorded } from "../core/content.ts";
import type { ContentPlace } from "../core/content-policy.ts";
import type { Current } from "../core/current.ts";
import { safeJson } from "../core/safe-json.ts";

/**
 * JSON text of what an application asked for or got, as the content policy allows: every text in it is redacted by itself, so that the JSON stays whole. Where
 * content is not recorded, numbers and flags remain and texts are left out.
 */
export function jsonContent(value: unknown, place: ContentPlace, { content, settings }: Current): string | undefined {
  const text = safeJson(value);
  if (text === undefined) return undefined;
  const recorded = isRecorded(place, content.policy);
  if (recorded && settings.redact === undefined) return content.label(text);
  const kept = (part: unknown): unknown => {
    if (typeof part !== "string") return part;
    return recorded ? content.text(part, place) : undefined;
  };
  return content.label(JSON.stringify(mapValues(JSON.parse(text), kept) ?? null));
}

/** The same structure with every value that is no list or object replaced; what becomes undefined is left out. */
function mapValues(value: unknown, replace: (value: unknown) => unknown): unknown {
  if (Array.isArray(value)) return value.map((each) => mapValues(each, replace)).filter((each) => each !== undefined);
  if (typeof value !== "object" || value === null) return replace(value);
  const members = Object.entries(value).map(([key, each]) => [key, mapValues(each, replace)] as const);
  return Object.fromEntries(members.filter(([, each]) => each !== undefined));
}

/** A copy of an object of the application's own that can be taken apart safely: no getter of it is left. What is no object is empty. */
export function plainObject(value: unknown): Readonly<Record<string, unknown>> {
  const copy: unknown = JSON.parse(safeJson(value) ?? "null");
  return typeof copy === "object" && copy !== null && !Array.isArray(copy) ? (copy as Record<string, unknown>) : {};
}
