import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createRedactor, type RedactionOptions } from "../../../collector/processors/redaction.ts";
import { rowsFromTraces } from "../../support/encoding.ts";
import { any, keyValue, span, tracesRequest } from "../../support/wire-builder.ts";

// Put together here, so that no scanner takes this file for a leak.
const SECRETS: Readonly<Record<string, string>> = {
  key: `sk-${"proj-aB3dE5fG7hI9jK1lM3nO5pQ7rS9tU1vW3xY5zA7bC9d"}`,
  aws: `AKIA${"IOSFODNN7EXAMPLE"}`,
  github: `ghp_${"a1B2c3D4e5F6g7H8i9J0k1L2m3N4o5P6q7R8"}`,
  jwt: `eyJ${"hbGciOiJIUzI1NiJ9"}.eyJ${"zdWIiOiIxMjM0NTY3ODkwIn0"}.${"dozjgNryP4J3jVmNHl0w5N"}`,
  token: `Bearer ${"abc/def+0123456789/abcdef0123=="}`,
};
const SECRETS_ONLY: RedactionOptions = { secrets: true, pii: [], patterns: [] };

function clean(text: string, options: RedactionOptions = SECRETS_ONLY): string {
  const body = tracesRequest([span({ attributes: [keyValue("k", any.string(text))] })]);
  const { length } = body;
  createRedactor(options)(body, "traces");
  expect(body.length).toBe(length);
  const attributes = rowsFromTraces(body).spans[0]?.["attributes"] as Record<string, string>;
  return attributes["k"] ?? "";
}

const escaped = (char: string, upper = false): string => {
  const hex = char.charCodeAt(0).toString(16).padStart(4, "0");
  return `\\u${upper ? hex.toUpperCase() : hex}`;
};
/** JSON text of a message, some characters of which are written as escapes, within so many layers of JSON text. */
function wrapped(secret: string, layers: number, isEscaped: (index: number) => boolean): string {
  const written = [...secret].map((char, i) => (isEscaped(i) ? escaped(char, i % 2 === 0) : char)).join("");
  let json = `{"role":"user","content":"before ${written} after"}`;
  for (let layer = 1; layer < layers; layer++) json = JSON.stringify(json);
  return json;
}
function opened(json: string, layers: number): { role: string; content: string } {
  let value: unknown = json;
  for (let layer = 0; layer < layers; layer++) value = JSON.parse(value as string);
  return value as { role: string; content: string };
}

describe("RED-01 credentials written with the escapes of JSON", () => {
  it.each(Object.entries(SECRETS))("%s: each character may be one, in one to four layers", (kind, secret) => {
    for (const layers of [1, 2, 3, 4]) {
      for (let at = 0; at < secret.length; at++) {
        const { role, content } = opened(clean(wrapped(secret, layers, (i) => i === at)), layers);
        expect(role).toBe("user");
        expect(content, `${layers} layers, character ${at}`).toMatch(
          kind === "token" ? /^before Bearer \[token\]\*+ after$/ : new RegExp(`^before \\[${kind}\\]\\*+ after$`),
        );
      }
    }
  });

  it("any of their characters may be one", () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...Object.values(SECRETS)),
        fc.integer({ min: 1, max: 4 }),
        fc.array(fc.boolean(), { minLength: 64, maxLength: 64 }),
        (secret, layers, flags) => {
          const { content } = opened(clean(wrapped(secret, layers, (i) => flags[i % 64] === true)), layers);
          expect(content).toMatch(/^before (?:Bearer )?\[\w+\]\*+ after$/);
        },
      ),
    );
  });

  it.each([
    ["in quotes", (secret: string) => JSON.stringify({ said: `the key is "${secret}".` })],
    ["in quotes of a text within a text", (secret: string) => JSON.stringify(JSON.stringify({ said: `the key is "${secret}".` }))],
    ["behind a line's end", (secret: string) => JSON.stringify({ said: `the key:\n${secret}\n.` })],
    ["behind a line's end of a text within a text", (secret: string) => JSON.stringify(JSON.stringify({ said: `the key:\n${secret}\n.` }))],
    ["behind an arrow", (secret: string) => `{"said":"key\\u2192${secret}."}`],
    ["with backslashes that are escapes, too", (secret: string) => `{"said":"${secret.replace("sk-", "\\u005cu0073k-")}."}`],
    ["with slashes as PHP writes them", (secret: string) => JSON.stringify({ url: `https://a/b?${secret}` }).replaceAll("/", "\\/")],
  ])("a key %s", (_, write) => {
    const secret = SECRETS["key"]!;
    const json = clean(write(secret));
    expect(json).not.toContain(secret.slice(3, 15));
    expect(() => JSON.parse(json) as unknown).not.toThrow();
  });

  it.each([1, 2, 3])("tokens and private keys whose slashes are escaped go to their end, in %i layers", (layers) => {
    const line = "MIIE/QIBA/ANBgkq/kiG9w0BAQEFAA+SBKcw/gSjAgEAAoIBAQC7".padEnd(64, "/");
    const said = `-----BEGIN PRIVATE KEY-----\n${line}\n${line}\n-----END PRIVATE KEY----- and Bearer ab1/${"cd/".repeat(12)}ef`;
    let json = JSON.stringify({ content: said }).replaceAll("/", "\\/");
    for (let layer = 1; layer < layers; layer++) json = JSON.stringify(json);
    const { content } = opened(clean(json), layers);
    expect(content).toMatch(/^-----BEGIN PRIVATE KEY-----\n\[key\]\*+\n\[key\]\*+\n-----END PRIVATE KEY----- and Bearer \[token\]\*+$/);
  });

  it.each([
    "caf\\u00e9 \\u003cb\\u003e task-oriented \\u002d nothing",
    "\\u",
    "\\u00",
    "\\u002",
    "\\\\\\\\\\\\",
    "C:\\users\\name",
    "\\u005c\\u005c\\u005cu",
  ])("%s is none", (text) => expect(clean(text)).toBe(text));
});

describe("RED-01 data about people in JSON", () => {
  const all: RedactionOptions = {
    secrets: true,
    pii: ["email", "credit_card", "iban", "phone", "ip"],
    patterns: [{ name: "mine", regex: "K-\\d{4}" }],
  };

  it.each([
    ["an address behind a line's end", JSON.stringify({ said: "mail:\nanna@example.com" }), "anna@", "mail:\n[email]"],
    ["the same in a text within a text", JSON.stringify(JSON.stringify({ said: "mail:\nanna@example.com" })), "anna@", "[email]"],
    ["an address with an escaped sign", '{"said":"mail: anna\\u0040example.com"}', "anna", "mail: [email]"],
    ["an address with an escaped plus", '{"said":"mail: anna\\u002Bb@example.com"}', "anna", "mail: [email]"],
    ["an address behind a letter with an accent", '{"said":"\\u00e9anna@example.com"}', "anna@", "é[email]"],
    ["a card behind a letter with an accent", '{"said":"\\u00e94111111111111111"}', "41111", "é[card]"],
    ["a number of a telephone with an escaped plus", '{"said":"\\u002B49 30 12345678"}', "12345", "[phone]"],
    ["an address of a computer behind an arrow", '{"said":"\\u2192192.168.0.17"}', "192.168", "→[ip]"],
    ["a pattern of one's own with an escape", '{"said":"K\\u002d4711"}', "4711", ""],
  ])("%s", (_, json, secret, beginning) => {
    const after = clean(json, all);
    expect(after).not.toContain(secret);
    const once = JSON.parse(after) as { said: string } | string;
    const { said } = typeof once === "string" ? (JSON.parse(once) as { said: string }) : once;
    expect(said).toContain(beginning);
  });

  it("JSON stays JSON whatever is covered in it", () => {
    const piece = fc.constantFrom(
      "anna@example.com",
      "4111111111111111",
      "+49 30 12345678",
      "192.168.0.1",
      ...Object.values(SECRETS),
      "K-4711",
    );
    fc.assert(
      fc.property(fc.array(fc.oneof(piece, fc.string({ unit: "binary-ascii" }), fc.string())), fc.boolean(), (parts, ascii) => {
        let json = JSON.stringify({ said: parts.join("") });
        if (ascii) json = json.replaceAll(/[^ -~]/gu, (char) => [...Array(char.length).keys()].map((i) => escaped(char[i]!)).join(""));
        for (const text of [json, JSON.stringify(json)]) expect(() => JSON.parse(clean(text, all)) as unknown, text).not.toThrow();
      }),
    );
  });
});

describe("RED-02 hostile escapes take no longer than their length", () => {
  it.each([
    ["escapes without end", "\\u002d".repeat(40_000)],
    ["escaped beginnings of keys", "\\u0073k-".repeat(30_000)],
    ["backslashes without end", `\\u002d${"\\".repeat(262_144)}`],
    ["private keys of backslashes", `PRIVATE KEY-----${"\\".repeat(16_000)}`.repeat(16)],
    ["tokens of slashes", `Bearer a1${"\\/".repeat(120_000)}`],
    ["backslashes that are escapes", "\\u005cu005cu005cu002d".repeat(13_000)],
  ])("%s", (_, text) => {
    const redact = createRedactor({ secrets: true, pii: ["email", "credit_card", "iban", "phone", "ip"], patterns: [] });
    const cost = (size: number): number => {
      const body = tracesRequest([span({ attributes: [keyValue("k", any.string(text.slice(0, size)))] })]);
      const before = process.cpuUsage();
      redact(body, "traces");
      const { user, system } = process.cpuUsage(before);
      return user + system;
    };
    cost(4_096);
    const [half, whole] = [cost(text.length / 2), cost(text.length)];
    // Twice the length may cost twice and a little more, never four times; a floor keeps the clock's grain out.
    expect(whole).toBeLessThan(Math.max(half, 30_000) * 3.5);
  });
});
