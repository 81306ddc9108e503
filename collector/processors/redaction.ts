import { RE2JS } from "re2js";
import { createNeedleSearch, FINGERPRINT_BYTES } from "../base/needle-search.ts";
import { SetupError } from "../base/setup-error.ts";
import type { Signal } from "../base/signal.ts";
import { afterEscape, unescaped } from "./json-escapes.ts";
import { PII_FINDERS, type PiiKind } from "./pii.ts";
import { SECRET_FINDERS } from "./secrets.ts";
import { createSpare } from "./spared-places.ts";
import { createTextLocator, type TextLocator, type TextRange } from "./text-locator.ts";

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
  /** What is found in `[text.start, text.end)`, ascending. */
  find(bytes: Buffer, text: TextRange): Iterable<Found>;
}

export interface RedactionOptions {
  readonly secrets: boolean;
  readonly pii: readonly PiiKind[];
  /** Regular expressions in RE2's syntax, which has no backtracking and so no input that takes forever; they see text as UTF-8 bytes. */
  readonly patterns: readonly { readonly name: string; readonly regex: string }[];
  /** Attributes whose values are left as they are. */
  readonly allow?: readonly string[];
}

/** Makes what it finds in a request of `signal` unreadable, in place; returns how often, by kind. */
export type Redactor = (protobuf: Buffer, signal: Signal) => ReadonlyMap<string, number>;

const STAR = 0x2a;
const NOTHING: ReadonlyMap<string, number> = new Map();

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
  return (bytes, signal) => {
    let counts: Map<string, number> | undefined;
    const isSpared = spare(bytes, signal);
    const hide = (text: TextRange, found: Found, kind: string): void => {
      cover(bytes, { start: afterEscape(bytes, found.start, text), end: afterEscape(bytes, found.end, text) }, kind);
      counts ??= new Map();
      counts.set(kind, (counts.get(kind) ?? 0) + 1);
    };
    const { active, escaped } = search(bytes);
    // First of all: what is hidden here would be seen in part without its escapes undone, and in part left.
    if (escaped) {
      for (const text of textsFor(ESCAPE, bytes, signal)) if (!isSpared(text)) findEscaped(bytes, text, { search, hide });
    }
    for (const finder of active) {
      for (const text of textsFor(finder.needle, bytes, signal)) {
        if (!isSpared(text)) for (const found of finder.find(bytes, text)) hide(text, found, finder.kind);
      }
    }
    return counts ?? NOTHING;
  };
}

/** Looks at a text as it reads when its escapes of JSON are undone, in one layer or in several; backslashes that were escapes themselves need another look. */
function findEscaped(bytes: Buffer, text: TextRange, { search, hide, looks = MAX_LOOKS }: EscapedSearch): void {
  const plain = unescaped(bytes, text);
  const whole = { start: 0, end: plain.bytes.length };
  const hidePlain: EscapedSearch["hide"] = (_, { start, end }, kind) =>
    hide(text, { start: plain.placeOf(start), end: plain.placeOf(end) }, kind);
  const { active, escaped } = search(plain.bytes);
  for (const finder of active) for (const found of finder.find(plain.bytes, whole)) hidePlain(whole, found, finder.kind);
  if (escaped && looks > 1) findEscaped(plain.bytes, whole, { search, hide: hidePlain, looks: looks - 1 });
}

const MAX_LOOKS = 3;

interface EscapedSearch {
  readonly search: FinderSearch;
  readonly hide: (text: TextRange, found: Found, kind: string) => void;
  readonly looks?: number;
}

interface Candidates {
  /** The finders that may find something. */
  readonly active: readonly Finder[];
  /** An escape of JSON may hide something from them. */
  readonly escaped: boolean;
}

type FinderSearch = (bytes: Buffer) => Candidates;

const ESCAPE = Buffer.from("\\u");
const escapesOf = (digits: readonly string[]): Buffer[] => digits.map((digit) => Buffer.from(`\\u${digit}`));
/** Escapes of what can be written without one: letters, digits and marks, of which credentials are made. */
const ASCII_ESCAPES = escapesOf(["002", "003", "004", "005", "006", "007"]);
/** All of them: their digits touch those of cards and addresses. */
const ANY_ESCAPES = escapesOf([..."0123456789abcdefABCDEF"]);

/** One search tells of all finders whose needle is long enough for it; the others are asked themselves. */
function createFinderSearch(finders: readonly Finder[], escapes: readonly Buffer[]): FinderSearch {
  const searched = finders.filter(({ needle }) => needle !== undefined && needle.length >= FINGERPRINT_BYTES);
  const others = finders.filter((finder) => !searched.includes(finder));
  const search = createNeedleSearch([...searched.flatMap(({ needle }) => needle ?? []), ...escapes]);
  return (bytes) => {
    const seen = search(bytes);
    const active = seen.size === 0 ? others : finders.filter((finder) => others.includes(finder) || seen.has(searched.indexOf(finder)));
    return { active, escaped: escapes.some((_, i) => seen.has(searched.length + i)) };
  };
}

/** The texts in which a needle stands, each once; all texts without one. */
function* textsFor(needle: Buffer | undefined, bytes: Buffer, signal: Signal): Iterable<TextRange> {
  let locator: TextLocator | undefined;
  for (let at = 0; ; ) {
    const place = needle === undefined ? at : bytes.indexOf(needle, at);
    if (place < 0) return;
    locator ??= createTextLocator(bytes, signal);
    const text = locator.next(place);
    if (text === undefined) return;
    if (needle === undefined || text.start <= place) yield text;
    // A place outside of every text (in an id, say): on with the next text.
    at = needle === undefined || text.start <= place ? text.end : text.start;
  }
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
