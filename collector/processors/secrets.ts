import { type ByteSet, beginsWord, byteSet, endOf, endOfRun, placesOf, runEnds } from "./byte-text.ts";
import type { Finder, Found } from "./redaction.ts";
import { PAUSE, type Steps } from "./steps.ts";
import type { TextRange } from "./text-locator.ts";

const TOKEN = byteSet("A-Za-z0-9_-");
const ALNUM = byteSet("A-Za-z0-9");
const UPPER = byteSet("A-Z0-9");
const URL_TOKEN = byteSet("A-Za-z0-9._~+/=-");
const BASE64 = byteSet("A-Za-z0-9+/=");

/** What is looked for in place of a beginning with which many words go on: `ppl` is in every "apply". The search for all needles is as fast as its rarest letters. */
const RARER: Readonly<Record<string, string>> = { "pplx-": "plx-" };

/** A credential with a fixed beginning: native search finds it, so that text without one costs next to nothing. */
function prefixed(kind: string, prefix: string, set: ByteSet, minLength: number): Finder {
  const beginning = Buffer.from(prefix, "latin1");
  return {
    kind,
    needle: Buffer.from(RARER[prefix] ?? prefix, "latin1"),
    *find(bytes, text) {
      const ends = runEnds(bytes, set, text);
      let covered = 0;
      for (const at of placesOf(bytes, beginning, text)) {
        if (at === PAUSE) yield PAUSE;
        if (at === PAUSE || at < covered || !beginsWord(bytes, at, text)) continue;
        const from = at + beginning.length;
        const end = ends.near(from) ?? (yield* ends.far(from));
        if (end - at - beginning.length < minLength) continue;
        covered = end;
        yield { start: at, end };
      }
    },
  };
}

/** The token after a word such as `Bearer`, which itself stays. A token has a digit; a word of prose that follows has none. */
function bearer(word: string): Finder {
  const needle = Buffer.from(`${word} `, "latin1");
  return {
    kind: "token",
    needle,
    *find(bytes, text) {
      for (const at of placesOf(bytes, needle, text)) {
        if (at === PAUSE) {
          yield PAUSE;
          continue;
        }
        const start = at + needle.length;
        const end = yield* endOfRun(bytes, start, URL_TOKEN, text);
        if (end - start >= 16 && /\d/.test(bytes.toString("latin1", start, Math.min(end, start + 256)))) yield { start, end };
      }
    },
  };
}

const JWT_START = Buffer.from("eyJ");
/** The end of the first part and the beginning of the second: a native search is fast where its first byte is rare. */
const JWT_MIDDLE = Buffer.from(".eyJ");
const DOT = 0x2e;

/** Three parts of base64url with dots between, the first two being JSON objects. */
const jwt: Finder = {
  kind: "jwt",
  needle: JWT_MIDDLE,
  *find(bytes, text) {
    const ends = runEnds(bytes, TOKEN, text);
    let covered = 0;
    let dot = -1;
    let end: number | undefined;
    for (const at of placesOf(bytes, JWT_START, text)) {
      if (at === PAUSE) yield PAUSE;
      if (at === PAUSE || at < covered) continue;
      const first = ends.near(at) ?? (yield* ends.far(at));
      if (first - at < 10) continue;
      // Looked at once for all beginnings in one run.
      if (first !== dot) end = yield* endOfToken(bytes, first, text);
      dot = first;
      if (end === undefined) continue;
      covered = end;
      yield { start: at, end };
    }
  },
};

/** Where a token ends whose first part does at `dot`; undefined where what follows is no second and third part. */
function* endOfToken(bytes: Buffer, dot: number, text: TextRange): Steps<number | undefined> {
  const second = yield* nextPart(bytes, dot, text);
  return second === undefined ? undefined : yield* endOfPart(bytes, second, text);
}

/** End of the second part, which begins with an object, too. */
function* nextPart(bytes: Buffer, dot: number, text: TextRange): Steps<number | undefined> {
  if (bytes[dot] !== DOT || !bytes.subarray(dot + 1, Math.min(dot + 4, text.end)).equals(JWT_START)) return undefined;
  return yield* endOfRun(bytes, dot + 1, TOKEN, text);
}

function* endOfPart(bytes: Buffer, dot: number, text: TextRange): Steps<number | undefined> {
  if (dot >= text.end || bytes[dot] !== DOT) return undefined;
  const end = yield* endOfRun(bytes, dot + 1, TOKEN, text);
  return end - dot > 8 ? end : undefined;
}

const PEM_START = Buffer.from("PRIVATE KEY-----");
/** A part of it that a native search finds by a byte which is rare: a seventh of the time. */
const PEM_RARE = Buffer.from("VATE KE");
const PEM_END = Buffer.from("-----END");
const BACKSLASH = 0x5c;
/** Where the end of a key is missing (cut on its way), so much is taken for the key. */
const MAX_PEM_BYTES = 16_384;

/** The lines between the marks of a private key; escapes of JSON between them stay as they are. */
const pem: Finder = {
  kind: "key",
  needle: PEM_RARE,
  *find(bytes, text) {
    let covered = 0;
    for (const at of placesOf(bytes, PEM_START, text)) {
      yield PAUSE;
      if (at === PAUSE) continue;
      const begin = at + PEM_START.length;
      if (begin < covered || endsKey(bytes, at, text)) continue;
      const limit = Math.min(text.end, begin + MAX_PEM_BYTES);
      const mark = bytes.subarray(begin, limit).indexOf(PEM_END);
      covered = mark >= 0 ? begin + mark : limit;
      yield* lines(bytes, { start: begin, end: covered });
    }
  },
};

/** What stands before the words of the mark at a key's end. */
const END_MARK = /-----END [A-Z ]{0,20}$/;
const END_MARK_BYTES = 32;

const endsKey = (bytes: Buffer, at: number, { start }: TextRange): boolean =>
  END_MARK.test(bytes.toString("latin1", Math.max(start, at - END_MARK_BYTES), at));

function* lines(bytes: Buffer, range: TextRange): Iterable<Found> {
  for (let at = range.start; at < range.end; ) {
    const start = bytes[at - 1] === BACKSLASH ? at + 1 : at;
    const end = endOf(bytes, start, BASE64, range);
    if (end - start >= 8) yield { start, end };
    at = Math.max(end, at) + 1;
  }
}

/** Credentials by the beginnings that their issuers gave them. */
export const SECRET_FINDERS: readonly Finder[] = [
  prefixed("key", "sk-", TOKEN, 20),
  prefixed("key", "sk_live_", ALNUM, 16),
  prefixed("key", "rk_live_", ALNUM, 16),
  prefixed("key", "gsk_", ALNUM, 40),
  prefixed("key", "xai-", ALNUM, 40),
  prefixed("key", "pplx-", ALNUM, 32),
  prefixed("key", "nvapi-", TOKEN, 40),
  prefixed("aws", "AKIA", UPPER, 16),
  prefixed("aws", "ASIA", UPPER, 16),
  prefixed("github", "ghp_", ALNUM, 30),
  prefixed("github", "gho_", ALNUM, 30),
  prefixed("github", "ghs_", ALNUM, 30),
  prefixed("github", "ghu_", ALNUM, 30),
  prefixed("github", "ghr_", ALNUM, 30),
  prefixed("github", "github_pat_", TOKEN, 40),
  prefixed("gitlab", "glpat-", TOKEN, 20),
  prefixed("slack", "xoxb-", TOKEN, 20),
  prefixed("slack", "xoxp-", TOKEN, 20),
  prefixed("google", "AIza", TOKEN, 35),
  prefixed("hf", "hf_", ALNUM, 30),
  prefixed("npm", "npm_", ALNUM, 36),
  jwt,
  bearer("Bearer"),
  bearer("bearer"),
  pem,
];
