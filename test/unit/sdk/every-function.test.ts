import assert from "node:assert";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import * as sdk from "../../../sdk/index.ts";
import { type CapturedRecords, captureRecords } from "../../support/captured-records.ts";

let captured: CapturedRecords;
beforeEach(() => {
  captured = captureRecords({ pending: "off" });
});
afterEach(() => captured[Symbol.dispose]());

const no = (): never => assert.fail("unreadable");
const unreadable = new Proxy({}, { get: no, has: no, ownKeys: no, getPrototypeOf: no, getOwnPropertyDescriptor: no });
const { proxy: revoked, revoke } = Proxy.revocable({}, {});
revoke();
const circular: Record<string, unknown> = { big: 10n };
circular["self"] = circular;
const deep = Array.from({ length: 5_000 }).reduce<unknown>((inner) => [inner], 1);

const VALUES: readonly (readonly [string, unknown])[] = [
  ["null", null],
  ["NaN", Number.NaN],
  ["a BigInt", 1n],
  ["an empty text", ""],
  ["half a character", "\ud800"],
  ["a symbol", Symbol("s")],
  ["a function that throws", no],
  ["an object of which nothing can be read", unreadable],
  ["a proxy that was revoked", revoked],
  ["a circle", circular],
  ["a list 5,000 deep", deep],
  ["a list of what cannot be read", [unreadable, revoked, circular]],
  ["a list with holes", Array(20)],
  ["a date that is none", new Date(Number.NaN)],
  ["bytes", Buffer.from("x")],
  ["a map", new Map([[1, 2]])],
  ["an object without a prototype", Object.create(null)],
  ["a text that throws", { toString: no, toJSON: no }],
  ["an error of errors", new AggregateError([unreadable], "many", { cause: circular })],
  ["a message that cannot be read", { role: unreadable, content: unreadable, type: unreadable, text: unreadable }],
  ["a key that means more than itself", JSON.parse('{"__proto__":{"a":1}}')],
];

const START =
  "model provider operation name prompt messages system tools params entity conversationId userId parent metadata attributes stream";
const RESULT = "text messages reasoning finishReason finishReasons responseId responseModel createdAt usage cost provider";
const words = (list: string): string[] => list.split(" ");

/** Every way in which a value can be handed over; the words of a type do not hold for it. */
async function handOver(value: never): Promise<void> {
  const generation = sdk.startGeneration(value);
  generation.firstToken(value);
  generation.startAttempt(value).fail(value, value);
  generation.addAttempt(value);
  generation.succeed(value);
  generation.link(value);
  generation.review(value);
  generation.annotate(value);
  for (const end of ["fail", "timeout", "cancel"] as const) sdk.startGeneration({ model: "m" })[end](value, value);
  for (const name of words(START)) sdk.startGeneration({ model: "m", [name]: value }).succeed({ text: "a" });
  for (const name of words(RESULT)) sdk.startGeneration({ model: "m" }).succeed({ text: "a", [name]: value });
  for (const name of words("name version modules text variables")) sdk.startGeneration({ model: "m", prompt: { [name]: value } }).succeed();
  for (const name of words("temperature stop seed reasoningEffort"))
    sdk.startGeneration({ model: "m", params: { [name]: value } }).succeed();
  for (const name of words("input output total reasoning cacheRead")) {
    sdk.startGeneration({ model: "m" }).succeed({ usage: { [name]: value } });
  }
  for (const read of Object.values(sdk.read)) {
    await sdk.generate({ model: "m" }, () => [value], read);
    const answer = { choices: value, content: value, output: value, candidates: value, usage: value, message: value, steps: value };
    await sdk.generate({ model: "m" }, () => answer, read);
  }
  await sdk.generate(value, () => 1, value);
  sdk.linkGeneration(value, value);
  sdk.reviewRecord(value, value);
  sdk.annotateGeneration(value, value);
}

describe("SDK-05 every function takes every value", () => {
  it.each(VALUES)("%s: nothing throws, and each record can be written", async (_, value) => {
    await handOver(value as never);
    const item = sdk.startItem(value as never);
    item.title(value as never);
    item.quality(value as never);
    item.startGeneration(value as never).succeed(value as never);
    item.toJSON();
    item.fail(value);
    expect(captured.of("item")).toHaveLength(1);
    expect(captured.spans.filter(({ attributes }) => attributes["gen_ai.operation.name"] === "chat").length).toBeGreaterThan(40);
    expect(() =>
      JSON.stringify(captured.spans.map(({ name, status, attributes, events }) => [name, status, attributes, events])),
    ).not.toThrow();
  });
});
