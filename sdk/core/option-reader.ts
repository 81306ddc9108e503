import { validateHeaderName, validateHeaderValue } from "node:http";

/** Reads what an application gave, one option at a time: what makes no sense costs itself and nothing else, and is told. */
export interface OptionReader {
  /** The option where `isValid` takes it; undefined where it is not given or makes no sense. `expected` says what was expected and, after a semicolon, what happens now. */
  read<T>(name: string, isValid: (value: unknown) => value is T, expected: string): T | undefined;
  /** The same of an option without which nothing works: that it is not given is told, too. */
  need<T>(name: string, isValid: (value: unknown) => value is T, expected: string): T | undefined;
  /** A reader of the members of an option; of none where that is no object. */
  within(name: string): OptionReader;
  /** The names of the members that are given. */
  names(): string[];
  fault(sentence: string): void;
}

interface Given {
  readonly name: string;
  readonly value: unknown;
  readonly expected: string;
}

/** `path` stands before the names in what is told; `faults` collects that. */
export function createOptionReader(given: unknown, faults: string[], path = ""): OptionReader {
  const options = isObject(given) ? given : {};

  function member(name: string): unknown {
    try {
      return (options as Readonly<Record<string, unknown>>)[name];
    } catch {
      faults.push(`${path}${name} could not be read; it counts as not given`);
      return undefined;
    }
  }

  function checked<T>({ name, value, expected }: Given, isValid: (value: unknown) => value is T): T | undefined {
    if (isValid(value)) return value;
    faults.push(`${path}${name} has to be ${expected}${expected.includes(";") ? "" : "; it counts as not given"}`);
    return undefined;
  }

  function read<T>(name: string, isValid: (value: unknown) => value is T, expected: string): T | undefined {
    const value = member(name);
    return value === undefined || value === null ? undefined : checked({ name, value, expected }, isValid);
  }

  return {
    read,
    need: (name, isValid, expected) => checked({ name, value: member(name), expected }, isValid),
    within: (name) => createOptionReader(read(name, isObject, "an object"), faults, `${path}${name}.`),
    names: () => Object.keys(options),
    fault: (sentence) => void faults.push(sentence),
  };
}

export const isText = (value: unknown): value is string => typeof value === "string";
export const isFlag = (value: unknown): value is boolean => typeof value === "boolean";
export const isObject = (value: unknown): value is object => typeof value === "object" && value !== null;
export const isList = (value: unknown): value is readonly unknown[] => Array.isArray(value);
export const isFunction = (value: unknown): value is (...given: never[]) => unknown => typeof value === "function";
export const isPositive = (value: unknown): value is number => typeof value === "number" && Number.isFinite(value) && value > 0;

/** Whether a value is one of these words. */
export const oneOf =
  <T extends string>(...words: readonly T[]) =>
  (value: unknown): value is T =>
    (words as readonly unknown[]).includes(value);

/** Whether requests can be sent there. */
export function isHttpUrl(url: unknown): url is string {
  return isText(url) && URL.canParse(url) && /^https?:$/.test(new URL(url).protocol);
}

/** Whether a request can carry such a header. */
export function isHeader(name: string, value: unknown): value is string {
  try {
    validateHeaderName(name);
    validateHeaderValue(name, value as string);
    return isText(value);
  } catch {
    return false;
  }
}
