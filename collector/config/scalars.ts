import { RE2JS } from "re2js";
import { Expanded } from "./expand.ts";
import { fault, type Place, plain, type Reader, shown, wrongType } from "./shape.ts";

/** Text. A number is none, unless it came from `${…}`: then its text as the environment had it. */
export const text: Reader<string> = (value, place) => {
  const given = value instanceof Expanded ? value.text : value;
  if (typeof given === "string") return given;
  wrongType(value, "string", place);
  return "";
};

/** Reads text and makes something of it; undefined from `make` is the fault `complaint`, unless the value was no text at all. */
const fromText =
  <T>(make: (given: string) => T | undefined, options: { readonly standIn: T; readonly complaint: (shown: string) => string }): Reader<T> =>
  (value, place) => {
    const before = place.findings.loading.length;
    const made = make(text(value, place));
    if (made === undefined && place.findings.loading.length === before) fault(place, options.complaint(shown(value, place)));
    return made ?? options.standIn;
  };

/** One of some words, in any case as the Collector has it. */
export const oneOf = <T extends string>(...words: readonly [T, ...T[]]): Reader<T> =>
  fromText((given) => words.find((word) => word.toLowerCase() === given.toLowerCase()), {
    standIn: words[0],
    complaint: (given) => `unknown value ${given} (valid values: ${words.join(", ")})`,
  });

export const bool: Reader<boolean> = (value, place) => {
  const given = plain(value);
  if (typeof given !== "boolean") wrongType(value, "bool", place);
  return given === true;
};

/** A whole number within bounds. */
export const integer =
  (min: number, max = Number.MAX_SAFE_INTEGER): Reader<number> =>
  (value, place) => {
    const given = plain(value);
    if (typeof given !== "number" || !Number.isInteger(given)) {
      wrongType(value, "int", place);
      return min;
    }
    if (given < min || given > max) fault(place, `must be ${range(min, max)}, got ${shown(value, place)}`);
    return given;
  };

const range = (min: number, max: number): string => (max === Number.MAX_SAFE_INTEGER ? `at least ${min}` : `from ${min} to ${max}`);

const UNIT_MS: Readonly<Record<string, number>> = { ns: 1e-6, us: 1e-3, µs: 1e-3, μs: 1e-3, ms: 1, s: 1000, m: 60_000, h: 3_600_000 };
const PIECE = "(\\d+\\.?\\d*|\\.\\d+)(ns|us|µs|μs|ms|s|m|h)";
const DURATION = new RegExp(`^\\+?(?:${PIECE})+$`);

/** Milliseconds in a duration as Go writes it, or undefined. */
function parseDuration(given: string): number | undefined {
  if (given === "0") return 0;
  if (!DURATION.test(given)) return undefined;
  const pieces = [...given.matchAll(new RegExp(PIECE, "g"))];
  return pieces.reduce((sum, [, amount, unit]) => sum + Number(amount) * (UNIT_MS[unit ?? ""] ?? 0), 0);
}

/** A duration as Go writes it (300ms, 1.5s, 2h45m), in milliseconds; a bare number is none. */
export const durationMillis =
  (minMillis = 0): Reader<number> =>
  (value, place) => {
    const given = value instanceof Expanded ? value.text : value;
    const millis = typeof given === "string" ? parseDuration(given) : undefined;
    if (millis === undefined) fault(place, `time: invalid duration ${shown(value, place)} (write it like 300ms, 5s or 1h30m)`);
    else if (millis < minMillis) fault(place, `must be at least ${minMillis}ms, got ${shown(value, place)}`);
    return millis ?? minMillis;
  };

/** An address to listen on. */
export interface Endpoint {
  readonly host: string;
  /** 0 takes a free one. */
  readonly port: number;
}

const ENDPOINT = /^(?:\[([0-9a-fA-F:.%]+)\]|([^\s:/[\]@]*)):(\d{1,5})$/;

function parseEndpoint(given: string): Endpoint | undefined {
  const [, ipv6, host, digits] = ENDPOINT.exec(given) ?? [];
  const port = Number(digits);
  if (digits === undefined || port > 65_535) return undefined;
  return Object.freeze({ host: ipv6 ?? (host || "0.0.0.0"), port });
}

export const endpoint: Reader<Endpoint> = fromText(parseEndpoint, {
  standIn: { host: "127.0.0.1", port: 0 },
  complaint: (given) => `invalid endpoint ${given} (write host:port, such as 127.0.0.1:4318 or [::1]:4318)`,
});

/** The path of a URL; a leading slash is added where it is missing, as the Collector does. */
export const urlPath: Reader<string> = fromText(
  (given) => (given === "" || /[\s?#]/.test(given) ? undefined : given.startsWith("/") ? given : `/${given}`),
  { standIn: "/", complaint: (given) => `invalid HTTP URL path set for signal: ${given}` },
);

/** A URL of PostgreSQL. Never shown: it holds a password. */
export const postgresUrl: Reader<string> = (value, place) => {
  const before = place.findings.loading.length;
  const given = text(value, place);
  const isUrl = URL.canParse(given) && /^postgres(ql)?:$/.test(new URL(given).protocol) && new URL(given).hostname !== "";
  if (!isUrl && place.findings.loading.length === before) {
    fault(place, "is no URL of PostgreSQL (write postgres://user:password@host:5432/database)");
  }
  return given;
};

/** Whether text is a regular expression in RE2's syntax: the one without backtracking, so that no input takes forever. */
export function isPattern(given: string): boolean {
  try {
    RE2JS.compile(given);
    return true;
  } catch {
    return false;
  }
}

export const pattern: Reader<string> = fromText((given) => (isPattern(given) ? given : undefined), {
  standIn: "",
  complaint: (given) => `error parsing regexp: ${given} (the syntax is RE2's, without look-around and back-references)`,
});

export type Scalar = string | number | boolean;

/** Any scalar. */
export const scalar: Reader<Scalar> = (value, place: Place) => {
  const given = plain(value);
  if (typeof given === "string" || typeof given === "number" || typeof given === "boolean") return given;
  wrongType(value, "string, int, float64 or bool", place);
  return "";
};
