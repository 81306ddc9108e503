import { type Content, isRecorded } from "../core/content.ts";
import type { ContentPlace } from "../core/content-policy.ts";
import type { Current } from "../core/current.ts";
import { safeJson } from "../core/safe-json.ts";

/**
 * JSON text of what an application asked for or got, as the content policy allows: every text in it is redacted by itself, so that the JSON stays whole. Where
 * content is not recorded, numbers and flags remain and texts are left out. What stands under `error` is an error's text wherever it stands.
 */
export function jsonContent(value: unknown, place: ContentPlace, { content, settings }: Current): string | undefined {
  const text = safeJson(value);
  if (text === undefined) return undefined;
  const isWhole = isRecorded(place, content.policy) && isRecorded("error", content.policy);
  if (isWhole && settings.redact === undefined) return content.label(text);
  return content.label(JSON.stringify(allowed(JSON.parse(text), place, content) ?? null));
}

const ERROR = /^errors?(?:_?message)?$/i;

/** The same structure with every text as it may be recorded; what may not is left out. */
function allowed(value: unknown, place: ContentPlace, content: Content): unknown {
  if (typeof value === "string") return content.text(value, place);
  if (Array.isArray(value)) return value.map((each) => allowed(each, place, content)).filter((each) => each !== undefined);
  if (typeof value !== "object" || value === null) return value;
  const members = Object.entries(value).map(([key, each]) => [key, allowed(each, ERROR.test(key) ? "error" : place, content)] as const);
  return Object.fromEntries(members.filter(([, each]) => each !== undefined));
}

/** A copy of an object of the application's own that can be taken apart safely: no getter of it is left. What is no object is empty. */
export function plainObject(value: unknown): Readonly<Record<string, unknown>> {
  const copy: unknown = JSON.parse(safeJson(value) ?? "null");
  return typeof copy === "object" && copy !== null && !Array.isArray(copy) ? (copy as Record<string, unknown>) : {};
}
