import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { transcodeJson } from "../../../collector/otlp/decode-json.ts";
import { createRedactor, type RedactionOptions } from "../../../collector/processors/redaction.ts";
import { rowsFromTraces } from "../../support/encoding.ts";
import { recordingsOf } from "../../support/recordings.ts";
import { any, keyValue, lengthField, span, tracesRequest } from "../../support/wire-builder.ts";

// Put together here, so that no scanner takes this file for a leak.
const SECRETS: Readonly<Record<string, string>> = {
  "OpenAI key": `sk-${"proj-aB3dE5fG7hI9jK1lM3nO5pQ7rS9tU1vW3xY5zA7bC9d"}`,
  "AWS key": `AKIA${"IOSFODNN7EXAMPLE"}`,
  "GitHub token": `ghp_${"a1B2c3D4e5F6g7H8i9J0k1L2m3N4o5P6q7R8"}`,
  "Slack token": `xoxb-${"123456789012-abcdefghijklmnop"}`,
  "Google key": `AIza${"SyA1b2C3d4E5f6G7h8I9j0K1l2M3n4O5p6Q"}`,
  "JSON web token": `eyJ${"hbGciOiJIUzI1NiJ9"}.eyJ${"zdWIiOiIxMjM0NTY3ODkwIn0"}.${"dozjgNryP4J3jVmNHl0w5N"}`,
};
const PEM_BODY = "MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQC7";
const PEM = `-----BEGIN PRIVATE KEY-----\n${PEM_BODY}\n${PEM_BODY}\n-----END PRIVATE KEY-----`;

const SECRETS_ONLY: RedactionOptions = { secrets: true, pii: [], patterns: [] };
const redactor = (change: Partial<RedactionOptions> = {}) => createRedactor({ ...SECRETS_ONLY, ...change });

/** A request whose only attribute value is the text. */
const requestWith = (text: string): Buffer =>
  tracesRequest([span({ attributes: [keyValue("k", any.string(text)), keyValue("z", any.int(1))] })]);

const clean = (text: string, change: Partial<RedactionOptions> = {}): string => {
  const body = requestWith(text);
  redactor(change)(body, "traces");
  const attributes = rowsFromTraces(body).spans[0]?.["attributes"] as Record<string, string>;
  return attributes["k"] ?? "";
};

describe("RED-01 secrets", () => {
  it.each(Object.entries(SECRETS))("%s is made unreadable in running text, and nothing else is", (_, secret) => {
    const text = clean(`before ${secret} after`);
    expect(text).not.toContain(secret.slice(0, 16));
    expect(text).toMatch(/^before \[\w+\]\*+ after$/);
    expect(text).toHaveLength(`before ${secret} after`.length);
  });

  it.each(Object.entries(SECRETS))("%s is found in place of an id, since the item is kept as it came", (_, secret) => {
    for (const field of [1, 2, 4]) {
      const body = tracesRequest([lengthField(field, secret)]);
      redactor()(body, "traces");
      expect(body.includes(secret.slice(0, 16))).toBe(false);
    }
    const log = tracesRequest([lengthField(9, secret)]);
    redactor()(log, "logs");
    expect(log.includes(secret.slice(0, 16))).toBe(false);
  });

  it("an id of the right length stays whatever a pattern finds in it", () => {
    const body = tracesRequest([span({})]);
    const before = Buffer.from(body);
    redactor({ patterns: [{ name: "any", regex: "[^a]{3}" }] })(body, "traces");
    expect(rowsFromTraces(body).spans[0]?.["trace_id"]).toBe(rowsFromTraces(before).spans[0]?.["trace_id"]);
  });

  it.each(Object.entries(SECRETS))("%s is found wherever it stands in a span", (_, secret) => {
    const message = lengthField(15, Buffer.concat([lengthField(2, `failed with ${secret}`), Buffer.from([0x18, 2])]));
    const event = lengthField(11, lengthField(2, "note"), lengthField(3, keyValue("text", any.string(secret))));
    const body = tracesRequest(
      [
        span({
          name: "call",
          attributes: [
            keyValue("plain", any.string(secret)),
            keyValue("nested", any.array(any.map({ deep: any.string(`x ${secret}`) }))),
            keyValue("json", any.string(JSON.stringify([{ role: "user", parts: [{ type: "text", content: `line\n${secret}` }] }]))),
          ],
          more: [message, event],
        }),
      ],
      lengthField(1, keyValue("secret.of.resource", any.string(secret))),
    );
    const counts = redactor()(body, "traces");
    expect(body.includes(secret.slice(0, 16))).toBe(false);
    expect([...counts.values()].reduce((sum, count) => sum + count, 0)).toBe(6);
    const { spans } = rowsFromTraces(body);
    const attributes = spans[0]?.["attributes"] as Record<string, string>;
    expect(JSON.parse(attributes["json"] ?? "")).toMatchObject([{ role: "user" }]);
  });

  it("a key whose length byte looks like a letter is found", () => {
    for (let length = 24; length <= 122; length++) {
      const secret = `sk-${"aB1".repeat(60)}`.slice(0, length);
      const body = tracesRequest([span({ attributes: [keyValue("k", any.string(secret))] })]);
      redactor()(body, "traces");
      expect(body.includes("sk-aB1aB1"), `length ${length}`).toBe(false);
    }
  });

  it("the lines of a private key go, its marks and the JSON around them stay", () => {
    expect(clean(PEM)).not.toContain(PEM_BODY.slice(0, 12));
    const json = clean(JSON.stringify({ key: PEM }));
    expect(json).not.toContain(PEM_BODY.slice(0, 12));
    expect(JSON.parse(json)).toMatchObject({ key: expect.stringContaining("-----BEGIN PRIVATE KEY-----") as string });
  });

  it.each(["PRIVATE KEY", "RSA PRIVATE KEY", "ENCRYPTED PRIVATE KEY"])("what comes after the mark that ends a %s stays", (words) => {
    const key = PEM.replaceAll("PRIVATE KEY", words);
    const text = clean(`${key} internationalization ${key} misunderstanding`);
    expect(text).not.toContain(PEM_BODY.slice(0, 12));
    expect(text).toMatch(/-----END [A-Z ]+----- internationalization -----BEGIN [\s\S]+-----END [A-Z ]+----- misunderstanding$/);
  });

  it("the token after Bearer goes, prose after it stays", () => {
    expect(clean("authorization: Bearer abcdef0123456789abcdef")).toMatch(/^authorization: Bearer \[token\]\*+$/);
    expect(clean("Bearer authentication-mechanisms are explained")).toBe("Bearer authentication-mechanisms are explained");
  });

  it.each([
    "task-oriented-dialogue-systems-and-more",
    "the risk-adjusted-return-of-capital-1",
    "eyJ alone",
    "AKIA is a prefix",
    "sk-short",
  ])("%s is no secret", (text) => expect(clean(text)).toBe(text));

  it("recorded bodies of clients stay what they are, byte for byte", () => {
    for (const client of ["otel-openai", "vercel-otel", "openinference-openai", "anthropic-native-content", "traceloop"]) {
      for (const { body, name, path, contentType } of recordingsOf(client)) {
        if (contentType.includes("json")) continue;
        const after = Buffer.from(body);
        redactor()(after, path.endsWith("logs") ? "logs" : "traces");
        expect(after.equals(body), `${client}/${name}`).toBe(true);
      }
    }
  });

  it("token counts and everything else of the row are untouched", () => {
    const call = {
      "gen_ai.operation.name": "chat",
      "gen_ai.request.model": "m",
      "gen_ai.input.messages": `[{"role":"user","parts":[{"type":"text","content":"${SECRETS["AWS key"]}"}]}]`,
    };
    const attributes = Object.entries(call).map(([key, value]) => ({ key, value: { stringValue: value } }));
    const json = {
      resourceSpans: [
        {
          scopeSpans: [
            {
              spans: [
                {
                  traceId: "0af7651916cd43dd8448eb211c80319c",
                  spanId: "b7ad6b7169203331",
                  name: "c",
                  startTimeUnixNano: "1763676000000000000",
                  endTimeUnixNano: "1763676001000000000",
                  attributes: [...attributes, { key: "gen_ai.usage.input_tokens", value: { intValue: "13" } }],
                },
              ],
            },
          ],
        },
      ],
    };
    const body = transcodeJson(Buffer.from(JSON.stringify(json)), "traces");
    redactor()(body, "traces");
    const [row] = rowsFromTraces(body).generations;
    expect(row).toMatchObject({ tokens_prompt: 13, prompt_format: "messages" });
    expect(String(row?.["prompt_full_text"])).toContain("[aws]");
  });

  it("no length ever changes, and what is covered stays covered", () => {
    const secret = fc.constantFrom(...Object.values(SECRETS), PEM);
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 400 }), secret, fc.nat({ max: 400 }), (noise, hidden, at) => {
        const text = Buffer.concat([Buffer.from(noise.subarray(0, at)), Buffer.from(` ${hidden} `), Buffer.from(noise.subarray(at))]);
        const body = tracesRequest([span({ attributes: [keyValue("k", lengthField(1, text)), keyValue("z", any.int(1))] })]);
        const { length } = body;
        redactor({ pii: ["email", "credit_card", "iban", "phone", "ip"] })(body, "traces");
        expect(body.length).toBe(length);
        expect(body.includes(hidden.slice(0, 40))).toBe(false);
        expect(rowsFromTraces(body).spans).toMatchObject([{ attributes: { z: 1 } }]);
        const again = Buffer.from(body);
        redactor()(again, "traces");
        expect(again.equals(body)).toBe(true);
      }),
    );
  });
});

describe("RED-01 things about people, when they are asked for", () => {
  const all = { pii: ["email", "credit_card", "iban", "phone", "ip"] } as const;

  it.each([
    ["mail to anna.b+c@example.co.uk now", "mail to [email]*****************".slice(0, 8)],
    ["card 4111 1111 1111 1111 please", "card [card]"],
    ["card 5500-0000-0000-0004 please", "card [card]"],
    ["account DE89370400440532013000 of", "account [iban]"],
    ["call +49 (30) 1234-5678 today", "call [phone]"],
    ["from 192.168.0.17 at", "from [ip]"],
  ])("%s", (text, beginning) => {
    const after = clean(text, all);
    expect(after).not.toBe(text);
    expect(after.startsWith(beginning)).toBe(true);
    expect(clean(text)).toBe(text);
  });

  it.each(["4111 1111 1111 1112", "DE89370400440532013001", "1.2.3", "999.1.1.1", "a@b", "version 2026.11.21.3456"])(
    "%s is none",
    (text) => {
      expect(clean(text, all)).toBe(text);
    },
  );
});

describe("RED-02 hostile text takes no longer than its length", () => {
  it.each([
    ["256 KB of one letter", "A".repeat(262_144)],
    ["signs of addresses without end", "a@".repeat(51_200)],
    ["digits without end", "4".repeat(262_144)],
    ["beginnings of keys without end", "sk-".repeat(87_000)],
    ["beginnings of tokens without end", "eyJ".repeat(87_000)],
    ["beginnings of private keys without end", "PRIVATE KEY-----".repeat(4_000)],
  ])("%s", (_, text) => {
    const find = redactor({ pii: ["email", "credit_card", "iban", "phone", "ip"], patterns: [{ name: "greedy", regex: "(a+)+$" }] });
    const cost = (bytes: Buffer): number => {
      const before = process.cpuUsage();
      find(bytes, "traces");
      const { user, system } = process.cpuUsage(before);
      return user + system;
    };
    cost(requestWith(text.slice(0, 4_096)));
    const [half, whole] = [cost(requestWith(text.slice(0, text.length / 2))), cost(requestWith(text))];
    // Twice the length may cost twice and a little more, never four times; a floor keeps the clock's grain out.
    expect(whole).toBeLessThan(Math.max(half, 20_000) * 3.5);
  });
});

describe("RED-03 patterns of users", () => {
  it("are found, also beyond ASCII", () => {
    expect(clean("Kunde Müller-4711, Akte 12", { patterns: [{ name: "customer", regex: "Müller-\\d+" }] })).toBe(
      "Kunde [customer]**, Akte 12",
    );
  });

  it.each(["(?=x)", "(a)\\1", "(", "["])("%s is refused with a sentence", (regex) => {
    expect(() => redactor({ patterns: [{ name: "mine", regex }] })).toThrow(/The redaction pattern mine is no regular expression of RE2/);
  });
});
