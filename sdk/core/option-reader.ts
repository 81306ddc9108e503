import { validateHeaderName, validateHeaderValue } from "node:http";

/** Reads what an application gave, one option at a time: what makes no sense costs itself and nothing else, and is told. */
export interface OptionReader {
  /** The option where `isValid` takes it; undefined where it is not given or makes no sense. `expected` says what was expected and, after a semicolon, what happens now. */
  read<T>(name: string, isValid: (value: unknown) => value is T, expected: string): T | undefined;
  /** The same of an option without which nothing works: that it is not given is told, too. */
  need<T>(name: string, isValid: (value: unknown) => value is T, expected: string): T | undefined;
  /** The same of an option that keeps something back: null makes no sense, either. */
  readStrictly<T>(name: string, isValid: (value: unknown) => value is T, expected: string): T | undefined;
  /** A copy of an option that is a list; empty where it is not given or makes no sense. */
  list<T>(name: string, isItem: (value: unknown) => value is T, expected: string): readonly T[];
  /** A reader of the members of an option; of none where that is no object. */
  within(name: string): OptionReader;
  /** The names of the members that are given. */
  names(): string[];
  fault(sentence: string): void;
  /** How much was told so far. */
  faultCount(): number;
}

interface Given {
  readonly name: string;
  readonly value: unknown;
  readonly expected: string;
}

const NOT_GIVEN = "it counts as not given";
const consequenceOf = (expected: string): string => expected.split("; ")[1] ?? NOT_GIVEN;

/** `path` stands before the names in what is told; `faults` collects that. No method throws, whatever getters and proxies the options are made of. */
export function createOptionReader(given: unknown, faults: string[], path = ""): OptionReader {
  const options: object = isObject(given) ? given : {};

  /** What `work` makes of what was given; where that throws, undefined, with that consequence. */
  function safely<T>(name: string, consequence: string, work: () => T): T | undefined {
    try {
      return work();
    } catch {
      faults.push(`${path}${name} could not be read; ${consequence}`);
      return undefined;
    }
  }

  const member = (name: string, expected: string): unknown =>
    safely(name, consequenceOf(expected), () => (options as Readonly<Record<string, unknown>>)[name]);

  function checked<T>({ name, value, expected }: Given, isValid: (value: unknown) => value is T): T | undefined {
    const told = faults.length;
    if (safely(name, consequenceOf(expected), () => isValid(value)) === true) return value as T;
    if (faults.length === told) faults.push(`${path}${name} has to be ${expected.split("; ")[0]}; ${consequenceOf(expected)}`);
    return undefined;
  }

  function readStrictly<T>(name: string, isValid: (value: unknown) => value is T, expected: string): T | undefined {
    const value = member(name, expected);
    return value === undefined ? undefined : checked({ name, value, expected }, isValid);
  }

  function read<T>(name: string, isValid: (value: unknown) => value is T, expected: string): T | undefined {
    const value = member(name, expected);
    return value === undefined || value === null ? undefined : checked({ name, value, expected }, isValid);
  }

  return {
    read,
    readStrictly,
    need: (name, isValid, expected) => checked({ name, value: member(name, expected), expected }, isValid),
    list<T>(name: string, isItem: (value: unknown) => value is T, expected: string) {
      const given = read(name, isList, expected);
      const value = given === undefined ? undefined : safely(name, NOT_GIVEN, () => [...given]);
      const isListOf = (list: unknown): list is readonly T[] => isList(list) && list.every(isItem);
      return value === undefined ? [] : (checked({ name, value, expected }, isListOf) ?? []);
    },
    within: (name) => createOptionReader(read(name, isObject, "an object"), faults, `${path}${name}.`),
    names: () => safely("*", NOT_GIVEN, () => Object.keys(options)) ?? [],
    fault: (sentence) => void faults.push(sentence),
    faultCount: () => faults.length,
  };
}

export const isAnything = (_value: unknown): _value is unknown => true;
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
