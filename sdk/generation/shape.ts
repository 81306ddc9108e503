/** An object whose members are not known. */
export type Shape = Readonly<Record<string, unknown>>;

export const isShape = (value: unknown): value is Shape => typeof value === "object" && value !== null && !Array.isArray(value);

/** A member of an object, or of one below it; undefined where the way breaks off. Getters may throw: callers run within a guard. */
export function at(value: unknown, ...path: readonly (string | number)[]): unknown {
  let here = value;
  for (const key of path) {
    if (typeof here !== "object" || here === null) return undefined;
    here = (here as Readonly<Record<string | number, unknown>>)[key];
  }
  return here;
}

export const textAt = (value: unknown, ...path: readonly (string | number)[]): string | undefined => textOf(at(value, ...path));
export const numberAt = (value: unknown, ...path: readonly (string | number)[]): number | undefined => numberOf(at(value, ...path));
export const listAt = (value: unknown, ...path: readonly (string | number)[]): readonly unknown[] => {
  const list = at(value, ...path);
  return Array.isArray(list) ? list : [];
};

/** A text that is not empty. */
export const textOf = (value: unknown): string | undefined => (typeof value === "string" && value !== "" ? value : undefined);

/** An id of the application's own, whose type it may have given as a number all the same. */
export const idOf = (value: unknown): string | undefined =>
  typeof value === "bigint" || Number.isFinite(value) ? String(value) : textOf(value);

/** A finite number; big integers count where they are exact. */
export function numberOf(value: unknown): number | undefined {
  const number = typeof value === "bigint" ? Number(value) : value;
  return typeof number === "number" && Number.isFinite(number) ? number : undefined;
}

/** The object without its undefined members. */
export function known<T extends object>(object: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  const copy: Record<string, unknown> = {};
  for (const name in object) if (object[name] !== undefined) copy[name] = object[name];
  return copy as { [K in keyof T]?: Exclude<T[K], undefined> };
}
