import { isObject, type Json } from "../base/json-values.ts";

export { isObject, type Json, type JsonObject, numberOf } from "../base/json-values.ts";

/** What nests deeper is not opened: walking it and writing it again would exhaust the stack. */
const MAX_LEVELS = 1000;

/** JSON text as a value, or undefined when it is none (cut off, plain text) or nests too deep to be of use. */
export function parseJson(text: string): Json {
  try {
    const value = JSON.parse(text) as Json;
    return text.length > 2 * MAX_LEVELS && nestsDeeper(value, MAX_LEVELS) ? undefined : value;
  } catch {
    return undefined;
  }
}

function nestsDeeper(value: Json, levels: number): boolean {
  if (typeof value !== "object" || value === null) return false;
  if (levels === 0) return true;
  for (const inner of Array.isArray(value) ? value : Object.values(value)) if (nestsDeeper(inner, levels - 1)) return true;
  return false;
}

/** Opens JSON within JSON text, as emitters that encode every value leave it; plain text stays. Three layers deep at most. */
export function openJson(value: Json): Json {
  let opened = value;
  for (let layer = 0; layer < 3 && typeof opened === "string" && /^\s*["[{]/.test(opened); layer++) {
    const inner = parseJson(opened);
    if (inner === undefined) return opened;
    opened = inner;
  }
  return opened;
}

export const stringOf = (value: Json): string | undefined => (typeof value === "string" && value !== "" ? value : undefined);

/** The value at a path of own keys, or undefined. */
export function at(value: Json, ...path: readonly (string | number)[]): Json {
  let found = value;
  for (const key of path) {
    if (Array.isArray(found) && typeof key === "number") found = found[key] as Json;
    else if (isObject(found) && Object.hasOwn(found, key)) found = found[key];
    else return undefined;
  }
  return found;
}

/** The first value that is there. */
export const firstOf = <T>(...values: readonly (T | undefined)[]): T | undefined => values.find((value) => value !== undefined);
