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

const REVOKED_OBJECT = ((): object => {
  const { proxy, revoke } = Proxy.revocable({}, {});
  revoke();
  return proxy;
})();
const REVOKED_LIST = ((): object => {
  const { proxy, revoke } = Proxy.revocable([], {});
  revoke();
  return proxy;
})();
const refuse = (): never => {
  throw new Error("refused");
};
const HOSTILE = new Proxy({}, { get: refuse, has: refuse, ownKeys: refuse, getPrototypeOf: refuse, getOwnPropertyDescriptor: refuse });
const HOSTILE_LIST = new Proxy([1], { get: refuse });

/** Options that types would refuse. */
const resolved = (options: unknown) => resolveOptions(options as TracingOptions, {});

describe("what was meant to keep content back and makes no sense keeps all of it back, and is told", () => {
  it.each([
    ["content is null", { content: null }],
    ["content is false", { content: false }],
    ["content is another word", { content: "none" }],
    ["content is a map", { content: new Map([["prompts", false]]) }],
    ["content is a promise", { content: Promise.resolve("metadata") }],
    [
      "content cannot be read",
      {
        get content(): never {
          return refuse();
        },
      },
    ],
    ["a kind is misspelt", { content: { prompt: false } }],
    ["a kind is misspelt beside one that is not", { content: { prompts: true, output: false } }],
    ["a kind is null", { content: { prompts: null } }],
    ["a kind is no flag", { content: { prompts: "false" } }],
    [
      "a kind cannot be read",
      {
        content: {
          get prompts(): never {
            return refuse();
          },
        },
      },
    ],
    ["content is hostile", { content: HOSTILE }],
    ["content is a revoked proxy", { content: REVOKED_OBJECT }],
    ["redact is null", { redact: null }],
    ["redact is no function", { redact: "all" }],
    [
      "redact cannot be read",
      {
        get redact(): never {
          return refuse();
        },
      },
    ],
    ["the options are hostile", HOSTILE],
    ["the options are a revoked proxy", REVOKED_OBJECT],
  ])("%s", (_, options) => {
    const { content, faults } = resolved(options);
    expect(content).toBe("metadata");
    expect(faults.join("; ")).toContain("no content is recorded");
  });

  it("what is not given, or undefined, holds nothing back", () => {
    expect(resolved({ content: undefined, redact: undefined })).toMatchObject({ content: "full", faults: [] });
    expect(resolved({ content: {} })).toMatchObject({ content: {}, faults: [] });
  });

  it("kinds are read once: what answers differently later changes nothing", () => {
    let asked = 0;
    const content = {
      get prompts(): boolean {
        return asked++ > 0;
      },
    };
    expect(resolved({ content }).content).toEqual({ prompts: false });
  });
});

describe("options made to throw cost themselves and nothing else", () => {
  it.each(["headers", "resourceAttributes", "limits", "instrumentations", "spanProcessors", "forward"])("%s", (name) => {
    for (const value of [HOSTILE, REVOKED_OBJECT, REVOKED_LIST, HOSTILE_LIST, [HOSTILE, REVOKED_OBJECT, null]]) {
      const settings = resolved({ [name]: value, serviceName: "kept" });
      expect(settings).toMatchObject({ serviceName: "kept", limits: DEFAULT_LIMITS, forward: [], content: "full" });
    }
    expect(resolved({ [name]: REVOKED_LIST }).faults).not.toEqual([]);
  });

  it("one header that cannot be read leaves the others", () => {
    const headers = {
      good: "1",
      get bad(): never {
        return refuse();
      },
    };
    expect(resolved({ headers })).toMatchObject({ target: { headers: { good: "1" } } });
  });

  it("options that are no object are told", () => {
    expect([resolved("http://c:1").faults.length, resolved(null).faults, resolved(undefined).faults]).toEqual([1, [], []]);
  });
});

describe("bounds", () => {
  it("of time stay within what a timer can wait", () => {
    const settings = resolved({ pendingDelayMillis: 1e300, pendingWaitMillis: 1e300, exitTimeoutMillis: 1e300, timeoutMillis: 1e300 });
    const { pendingDelayMillis, pendingWaitMillis, exitTimeoutMillis, target } = settings;
    for (const millis of [pendingDelayMillis, pendingWaitMillis, exitTimeoutMillis, target?.timeoutMillis])
      expect(millis).toBeLessThan(2 ** 31 - 1);
  });

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
