import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { factsIn, hasContentBody, isContentName, mayBeContent } from "../../../collector/dialects/content-names.ts";
import { createContentRemover } from "../../../collector/processors/content-removal.ts";
import { PII_KINDS } from "../../../collector/processors/pii.ts";
import { createRedactor } from "../../../collector/processors/redaction.ts";
import { PAUSE_BYTES, type Steps } from "../../../collector/processors/steps.ts";
import { any, keyValue, span, tracesRequest } from "../../support/wire-builder.ts";

const redact = createRedactor({ secrets: true, pii: PII_KINDS, patterns: [], allow: ["spared"] });
const requestOf = (text: string): Buffer => tracesRequest([span({ attributes: [keyValue("k", any.string(text))] })]);

/** The text after redaction; ASCII, so that places are the same. */
function clean(text: string): string {
  const body = requestOf(text);
  redact(body, "traces");
  const at = body.indexOf(" ^ ");
  return body.toString("latin1", at, at + text.length);
}

/** A mark at both ends, by which a text is found in its request and pieces stay apart. */
const framed = (text: string): string => ` ^ ${text} $ `;

// Put together here, so that no scanner takes this file for a leak.
const PIECES = [
  `sk-${"a1b2".repeat(8)}`,
  `AKIA${"IOSFODNN7EXAMPLE"}`,
  `ghp_${"x".repeat(36)}`,
  `eyJ${"a".repeat(20)}.eyJ${"b".repeat(20)}.${"c".repeat(20)}`,
  `eyJ${"a".repeat(20)}.eyJ${"b".repeat(20)}`,
  `Bearer ${"a1".repeat(12)}\\/${"b2".repeat(9)}`,
  `-----BEGIN PRIVATE KEY-----${"A1b2C3d4".repeat(20)}-----END PRIVATE KEY-----`,
  "anna.schmidt@example.com",
  "4111 1111 1111 1111",
  "DE89370400440532013000",
  "+49 30 12345678",
  "192.168.0.17",
  "\\u0073k-abcdefghijklmnopqrstuvwxyz",
  "no secret at all",
];

describe("a text of any length", () => {
  it("is redacted as its parts are, wherever a pause falls", () => {
    const parts = fc.array(fc.record({ piece: fc.constantFrom(...PIECES), blanks: fc.nat({ max: 30_000 }) }), {
      minLength: 1,
      maxLength: 12,
    });
    fc.assert(
      fc.property(parts, fc.nat({ max: 300 }), (some, shift) => {
        const texts = some.map(({ piece, blanks }, i) => framed(`\\u002e ${".".repeat(blanks + (i === 0 ? shift : 0))} ${piece}`));
        expect(clean(texts.join(""))).toBe(texts.map(clean).join(""));
      }),
      { numRuns: 60 },
    );
  });

  it.each(PIECES)("hides what lies across a pause: %s", (piece) => {
    const alone = clean(framed(piece));
    for (let before = 0; before <= piece.length + 8; before++) {
      const blanks = " ".repeat(PAUSE_BYTES - before);
      expect(clean(framed(blanks + piece))).toBe(framed(blanks).slice(0, -3) + alone.slice(3));
    }
  });

  it.each<[string, (size: number) => string]>([
    ["key", (size) => `sk-${"a".repeat(size)}`],
    ["token", (size) => `Bearer a1${"\\/".repeat(size / 2)}`],
    ["jwt", (size) => `eyJ${"a".repeat(size)}.eyJ${"b".repeat(size)}.${"c".repeat(size)}`],
  ])("a %s that is longer than what lies between pauses is hidden to its end", (kind, make) => {
    for (const size of [PAUSE_BYTES - 9, PAUSE_BYTES, PAUSE_BYTES + 1, 3 * PAUSE_BYTES + 7]) {
      const hidden = clean(framed(make(size)));
      expect(hidden.slice(0, 40)).toContain(`[${kind}]`);
      expect(hidden.slice(20, -3)).toMatch(/^\*+$/);
    }
  });
});

describe("what is made to be slow", () => {
  const SIZE = 1024 * 1024;
  const filled = (text: string): string => text.repeat(Math.ceil(SIZE / text.length)).slice(0, SIZE);
  const pausesOf = (steps: Steps<unknown>): number => {
    let pauses = 0;
    while (steps.next().done !== true) pauses++;
    return pauses;
  };

  it.each([
    ["escapes", "\\u002d"],
    ["escapes of escapes", "\\u005cu005cu005cu002d"],
    ["beginnings of keys", "sk-"],
    ["keys", `${PIECES[0]} `],
    ["beginnings of tokens", "eyJ.eyJ"],
    ["private keys", "PRIVATE KEY-----"],
    ["signs of mail addresses", "a@"],
    ["digits", "1"],
    ["letters and digits", "A1"],
    ["numbers", "1.1.1.1 "],
    ["words", "the quick brown fox "],
  ])("is paused at least once for each 64 KiB: %s", (_, text) => {
    expect(pausesOf(redact.inSteps(requestOf(filled(text)), "traces"))).toBeGreaterThanOrEqual(SIZE / PAUSE_BYTES - 1);
  });

  it("is paused among many small values, too, before their content goes and where some are spared", () => {
    const attributes = Array.from({ length: 20_000 }, (_, i) =>
      keyValue(i % 2 === 0 ? "spared" : "gen_ai.prompt", any.string(`${PIECES[0]}`)),
    );
    const body = tracesRequest([span({ attributes })]);
    expect(pausesOf(redact.inSteps(Buffer.from(body), "traces"))).toBeGreaterThan(300);
    const remove = createContentRemover({ isContentName, hasContentBody, mayBeContent, factsIn }, []);
    expect(pausesOf(remove(body, "traces"))).toBeGreaterThanOrEqual(78);
  });

  it("a run of beginnings before a long second part is looked at once", () => {
    const cost = (parts: number): number => {
      const body = requestOf(`${"eyJ".repeat(parts)}.eyJ${"a".repeat(parts * 3)} `);
      return pausesOf(redact.inSteps(body, "traces"));
    };
    // Looked at anew from each of them, it would be paused four times as often where it is twice as long.
    expect(cost(80_000)).toBeLessThan(3 * cost(40_000));
  });
});
