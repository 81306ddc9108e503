import { RE2JS } from "re2js";
import { SetupError } from "../base/setup-error.ts";
import type { Signal } from "../base/signal.ts";
import { createNeedleSearch, FINGERPRINT_BYTES } from "./needle-search.ts";
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
  const findNeedles = createFinderSearch(finders);
  const spare = createSpare(options.allow ?? []);
  return (bytes, signal) => {
    let counts: Map<string, number> | undefined;
    const isSpared = spare(bytes, signal);
    for (const finder of findNeedles(bytes)) {
      for (const text of textsFor(finder, bytes, signal)) {
        if (isSpared(text)) continue;
        for (const found of finder.find(bytes, text)) {
          cover(bytes, found, finder.kind);
          counts ??= new Map();
          counts.set(finder.kind, (counts.get(finder.kind) ?? 0) + 1);
        }
      }
    }
    return counts ?? NOTHING;
  };
}

/** The finders that may find something: one search tells it of all whose needle is long enough for it, of the others their own. */
function createFinderSearch(finders: readonly Finder[]): (bytes: Buffer) => readonly Finder[] {
  const searched = finders.filter(({ needle }) => needle !== undefined && needle.length >= FINGERPRINT_BYTES);
  const others = finders.filter((finder) => !searched.includes(finder));
  const search = createNeedleSearch(searched.flatMap(({ needle }) => needle ?? []));
  return (bytes) => {
    const seen = search(bytes);
    return seen.size === 0 ? others : finders.filter((finder) => others.includes(finder) || seen.has(searched.indexOf(finder)));
  };
}

/** The texts that a finder has to look at, each once. */
function* textsFor({ needle }: Finder, bytes: Buffer, signal: Signal): Iterable<TextRange> {
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
