import { RE2JS } from "re2js";
import { createNeedleSearch, FINGERPRINT_BYTES } from "../base/needle-search.ts";
import { SetupError } from "../base/setup-error.ts";
import type { Signal } from "../base/signal.ts";
import { afterEscape, unescaped } from "./json-escapes.ts";
import { PII_FINDERS, type PiiKind } from "./pii.ts";
import { SECRET_FINDERS } from "./secrets.ts";
import { createSpare } from "./spared-places.ts";
import { atOnce, PAUSE, type Pause, type Steps } from "./steps.ts";
import type { TextRange } from "./text-locator.ts";
import { textsFor } from "./texts-with.ts";

/** A stretch of bytes to be made unreadable. */
export interface Found {
  readonly start: number;
  readonly end: number;
}

/** Looks for one kind of thing in a text. Linear in the text's length. */
export interface Finder {
  readonly kind: string;
  /** What is in every one of them: a native search says where looking is worth while. Without it every text is looked at. */
  readonly needle?: Buffer;
  /** What is found in `[text.start, text.end)`, ascending. What is hidden meanwhile may be seen or not. */
  find(bytes: Buffer, text: TextRange): Iterable<Found | Pause>;
}

export interface RedactionOptions {
  readonly secrets: boolean;
  readonly pii: readonly PiiKind[];
  /** Regular expressions in RE2's syntax, which has no backtracking and so no input that takes forever; they see text as UTF-8 bytes. */
  readonly patterns: readonly { readonly name: string; readonly regex: string }[];
  /** Attributes whose values are left as they are. */
  readonly allow?: readonly string[];
}

/** How often something was made unreadable, by kind. */
export type RedactionCounts = ReadonlyMap<string, number>;

/** Makes what it finds in a request of `signal` unreadable, in place. */
export interface Redactor {
  (protobuf: Buffer, signal: Signal): RedactionCounts;
  /** The same with pauses, for requests that are large: nobody else may touch the bytes until the end. */
  inSteps(protobuf: Buffer, signal: Signal): Steps<RedactionCounts>;
}

export const steppedRedactor = (inSteps: Redactor["inSteps"]): Redactor =>
  Object.assign((protobuf: Buffer, signal: Signal) => atOnce(inSteps(protobuf, signal)), { inSteps });

const STAR = 0x2a;
const NOTHING: RedactionCounts = new Map();

/**
 * Works on the bytes of a whole protobuf request before anything is decoded, and never changes a length: attributes, events, messages, nested values and resources are all
 * covered, and so is everything made from them (rows, refused items, forwards). What is found becomes `[kind]` filled up with stars.
 * Throws SetupError for a pattern that is none.
 */
export function createRedactor(options: RedactionOptions): Redactor {
  const finders: Finder[] = [
    ...(options.secrets ? SECRET_FINDERS : []),
    ...options.pii.map((kind) => PII_FINDERS[kind]),
    ...options.patterns.map(patternFinder),
  ];
  const secretsAlone = options.pii.length + options.patterns.length === 0;
  const search = createFinderSearch(finders, secretsAlone ? ASCII_ESCAPES : ANY_ESCAPES);
  const spare = createSpare(options.allow ?? []);
  return steppedRedactor(function* (bytes, signal) {
    let counts: Map<string, number> | undefined;
    const isSpared = yield* spare(bytes, signal);
    const hide = (text: TextRange, found: Found, kind: string): void => {
      cover(bytes, { start: afterEscape(bytes, found.start, text), end: afterEscape(bytes, found.end, text) }, kind);
      counts ??= new Map();
      counts.set(kind, (counts.get(kind) ?? 0) + 1);
    };
    const { active, escaped } = yield* search(bytes);
    // First of all: what is hidden here would be seen in part without its escapes undone, and in part left.
    if (escaped) {
      for (const text of textsFor(ESCAPE, bytes, signal)) {
        if (text === PAUSE) yield PAUSE;
        else if (!isSpared(text)) yield* findEscaped(bytes, text, { search, hide });
      }
    }
    for (const finder of active) {
      for (const text of textsFor(finder.needle, bytes, signal)) {
        if (text === PAUSE) yield PAUSE;
        else if (!isSpared(text)) yield* hideAll(finder, { bytes, text, hide });
      }
    }
    return counts ?? NOTHING;
  });
}

type Hide = (text: TextRange, found: Found, kind: string) => void;

interface Looked {
  readonly bytes: Buffer;
  readonly text: TextRange;
  readonly hide: Hide;
}

function* hideAll({ kind, find }: Finder, { bytes, text, hide }: Looked): Steps<void> {
  for (const found of find(bytes, text)) {
    if (found === PAUSE) yield PAUSE;
    else hide(text, found, kind);
  }
}

/** Looks at a text as it reads when its escapes of JSON are undone, in one layer or in several; backslashes that were escapes themselves need another look. */
function* findEscaped(bytes: Buffer, text: TextRange, { search, hide, looks = MAX_LOOKS }: EscapedSearch): Steps<void> {
  const plain = yield* unescaped(bytes, text);
  const whole = { start: 0, end: plain.bytes.length };
  const hidePlain: Hide = (_, { start, end }, kind) => hide(text, { start: plain.placeOf(start), end: plain.placeOf(end) }, kind);
  const { active, escaped } = yield* search(plain.bytes);
  for (const finder of active) yield* hideAll(finder, { bytes: plain.bytes, text: whole, hide: hidePlain });
  if (escaped && looks > 1) yield* findEscaped(plain.bytes, whole, { search, hide: hidePlain, looks: looks - 1 });
}

const MAX_LOOKS = 3;

interface EscapedSearch {
  readonly search: FinderSearch;
  readonly hide: Hide;
  readonly looks?: number;
}

interface Candidates {
  /** The finders that may find something. */
  readonly active: readonly Finder[];
  /** An escape of JSON may hide something from them. */
  readonly escaped: boolean;
}

type FinderSearch = (bytes: Buffer) => Steps<Candidates>;

const ESCAPE = Buffer.from("\\u");
const escapesOf = (digits: readonly string[]): Buffer[] => digits.map((digit) => Buffer.from(`\\u${digit}`));
/** Escapes of what can be written without one: letters, digits and marks, of which credentials are made. */
const ASCII_ESCAPES = escapesOf(["002", "003", "004", "005", "006", "007"]);
/** All of them: their digits touch those of cards and addresses. */
const ANY_ESCAPES = escapesOf([..."0123456789abcdefABCDEF"]);

/** Searched between two pauses: a millisecond where it is full of what is looked for. */
const SEARCHED_BYTES = 128 * 1024;

/** One search tells of all finders whose needle is long enough for it; the others are asked themselves. */
function createFinderSearch(finders: readonly Finder[], escapes: readonly Buffer[]): FinderSearch {
  const searched = finders.filter(({ needle }) => needle !== undefined && needle.length >= FINGERPRINT_BYTES);
  const others = finders.filter((finder) => !searched.includes(finder));
  const needles = [...searched.flatMap(({ needle }) => needle ?? []), ...escapes];
  const search = createNeedleSearch(needles);
  const overlap = Math.max(0, ...needles.map(({ length }) => length)) - 1;
  return function* (bytes) {
    const seen = new Set<number>();
    for (let from = 0; from < bytes.length; from += SEARCHED_BYTES) {
      if (from > 0) yield PAUSE;
      for (const i of search(bytes.subarray(from, from + SEARCHED_BYTES + overlap))) seen.add(i);
    }
    const active = seen.size === 0 ? others : finders.filter((finder) => others.includes(finder) || seen.has(searched.indexOf(finder)));
    return { active, escaped: escapes.some((_, i) => seen.has(searched.length + i)) };
  };
}

/** No quote and no backslash: JSON in a string stays JSON. */
function cover(bytes: Buffer, { start, end }: Found, kind: string): void {
  const label = `[${kind}]`;
  bytes.fill(STAR, start, end);
  if (label.length <= end - start) bytes.write(label, start, "latin1");
}

function patternFinder({ name, regex }: RedactionOptions["patterns"][number]): Finder {
  const pattern = compile(name, regex);
  return {
    kind: name,
    *find(bytes, { start, end }) {
      // One character per byte, so that places in the text are places in the buffer.
      const matcher = pattern.matcher(bytes.toString("latin1", start, end));
      while (matcher.find()) if (matcher.end() > matcher.start()) yield { start: start + matcher.start(), end: start + matcher.end() };
    },
  };
}

function compile(name: string, regex: string) {
  try {
    return RE2JS.compile(Buffer.from(regex, "utf8").toString("latin1"));
  } catch (error) {
    throw new SetupError(
      `The redaction pattern ${name} is no regular expression of RE2 (no look-around, no back-references): ${(error as Error).message}`,
    );
  }
}
