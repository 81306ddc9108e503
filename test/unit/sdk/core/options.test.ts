import { describe, expect, it } from "vitest";
import { DEFAULT_LIMITS, type TracingOptions } from "../../../../sdk/core/options.ts";
import { resolveOptions } from "../../../../sdk/core/settings.ts";

const target = (options: TracingOptions = {}, environment: Record<string, string> = {}) => resolveOptions(options, environment).target!;

describe("where records go", () => {
  it.each([
    ["nothing", {}, {}, "http://localhost:4318/v1/traces"],
    ["the general variable", {}, { OTEL_EXPORTER_OTLP_ENDPOINT: "https://c.example/" }, "https://c.example/v1/traces"],
    ["the variable of the signal, as it is", {}, { OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: "https://c.example/x" }, "https://c.example/x"],
    ["an option, over both", { endpoint: "http://c:1" }, { OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: "http://d" }, "http://c:1/v1/traces"],
    ["an option that names the signal", { endpoint: "http://c:1/v1/traces" }, {}, "http://c:1/v1/traces"],
  ])("%s", (_, options, environment, url) => {
    expect(target(options, environment).url).toBe(url);
  });

  it("headers come from the variables, the key and the options, later ones winning", () => {
    const environment = { OTEL_EXPORTER_OTLP_HEADERS: "a=1,b=1", OTEL_EXPORTER_OTLP_TRACES_HEADERS: "b=2", GENSPAN_API_KEY: "k" };
    expect(target({ headers: { c: "3" } }, environment).headers).toEqual({ a: "1", b: "2", authorization: "Bearer k", c: "3" });
    expect(target({ apiKey: "own" }, environment).headers).toMatchObject({ authorization: "Bearer own" });
  });

  it("headers may be made anew for each request", async () => {
    const { headers } = target({ headers: async () => ({ authorization: "Bearer fresh" }), apiKey: "old" });
    expect(await (headers as () => Promise<object>)()).toEqual({ authorization: "Bearer fresh" });
  });

  it("the protocol is JSON unless protobuf is asked for", () => {
    expect([target().protocol, target({}, { OTEL_EXPORTER_OTLP_PROTOCOL: "http/protobuf" }).protocol]).toEqual([
      "http/json",
      "http/protobuf",
    ]);
    expect(target({ protocol: "http/json" }, { OTEL_EXPORTER_OTLP_PROTOCOL: "http/protobuf" }).protocol).toBe("http/json");
  });
});

describe("what is recorded", () => {
  it.each([
    [undefined, "full"],
    ["true", "full"],
    ["SPAN_AND_EVENT", "full"],
    ["false", "metadata"],
    ["NO_CONTENT", "metadata"],
  ])("OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT=%s means %s", (value, expected) => {
    const environment = value === undefined ? {} : { OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT: value };
    expect(resolveOptions({}, environment).content).toBe(expected);
  });

  it("an option wins over the variable", () => {
    const environment = { OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT: "false" };
    expect(resolveOptions({ content: { prompts: false } }, environment).content).toEqual({ prompts: false });
  });

  it("OTEL_SDK_DISABLED switches off, only when it is true", () => {
    const enabled = (value: string): boolean => resolveOptions({}, { OTEL_SDK_DISABLED: value }).enabled;
    expect([enabled("true"), enabled("TRUE"), enabled("false"), enabled("1")]).toEqual([false, false, true, true]);
  });
});

describe("bounds", () => {
  it("are those of the contract", () => {
    expect(resolveOptions({}, {}).limits).toEqual(DEFAULT_LIMITS);
    expect(DEFAULT_LIMITS.queueBytes).toBe(32 * 1024 * 1024);
  });

  it("that make no sense count as not given", () => {
    const limits = { queueBytes: -1, exportRecords: Number.NaN, queueRecords: 5 };
    expect(resolveOptions({ limits, pendingDelayMillis: 0 }, {})).toMatchObject({
      limits: { ...DEFAULT_LIMITS, queueRecords: 5 },
      pendingDelayMillis: 50,
    });
  });

  it("take the standard limit of values", () => {
    expect(resolveOptions({}, { OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT: "200" }).limits.attributeBytes).toBe(200);
  });
});
