import { existsSync, readdirSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { ConfigError, loadConfig } from "../../../collector/config/index.ts";

const TESTDATA = new URL("testdata/", import.meta.url);
const cases = readdirSync(TESTDATA).filter((file) => file.endsWith(".yaml"));
const read = (file: string): string => readFileSync(new URL(file, TESTDATA), "utf8");

function problemsOf(text: string, env: Record<string, string> = {}, name = "test.yaml"): readonly string[] {
  try {
    loadConfig({ files: [{ name, text }], env });
    return [];
  } catch (error) {
    if (error instanceof ConfigError) return error.problems;
    throw error;
  }
}

/** A sound file with one line of its own for the receiver's HTTP section. */
const withHttp = (line: string): string => `receivers: {otlp: {protocols: {http: {${line}}}}}
exporters: {postgres: }
service: {pipelines: {traces: {receivers: [otlp], exporters: [postgres]}}}`;

const httpOf = (line: string, env: Record<string, string> = {}) => {
  const { config, warnings } = loadConfig({ files: [{ name: "t", text: withHttp(line) }], env });
  const receiver = config.receivers.get("otlp");
  return { http: receiver!.options.http!, warnings };
};

describe("one file per case", () => {
  it("has good and bad cases", () => {
    expect(cases.filter((file) => file.startsWith("good-")).length).toBeGreaterThan(2);
    expect(cases.filter((file) => file.startsWith("bad-")).length).toBeGreaterThan(10);
  });

  it.each(cases)("%s", (file) => {
    const expectedFile = file.replace(".yaml", ".expected.txt");
    const expected = existsSync(new URL(expectedFile, TESTDATA)) ? read(expectedFile).trimEnd().split("\n") : [];
    expect(file.startsWith("bad-")).toBe(expected.length > 0);
    expect([...problemsOf(read(file), {}, file)].map((problem) => problem.trimEnd())).toEqual(expected.map((line) => line.trimEnd()));
  });

  it("the shipped otel-config.yaml is sound and listens on this machine alone", () => {
    const text = readFileSync(new URL("../../../otel-config.yaml", import.meta.url), "utf8");
    const { config, warnings } = loadConfig({ files: [{ name: "otel-config.yaml", text }], env: {} });
    expect(warnings).toEqual([]);
    const { http, grpc } = config.receivers.get("otlp")!.options;
    expect([grpc!.endpoint, http!.endpoint]).toEqual([4317, 4318].map((port) => ({ host: "127.0.0.1", port })));
    expect([...config.service.pipelines.keys()]).toEqual(["traces", "logs"]);
  });
});

describe("values", () => {
  it("everything that was left out has its default", () => {
    expect(httpOf("").http).toEqual({
      endpoint: { host: "127.0.0.1", port: 4318 },
      traces_url_path: "/v1/traces",
      logs_url_path: "/v1/logs",
      metrics_url_path: "/v1/metrics",
      max_request_body_size: 64 * 1024 * 1024,
      cors: undefined,
    });
  });

  it.each([
    ["grpc: ", { grpc: { endpoint: { host: "127.0.0.1", port: 4317 }, max_recv_msg_size_mib: 64 }, http: undefined }],
    ["grpc: {endpoint: ':0', max_recv_msg_size_mib: 8}", { grpc: { endpoint: { host: "0.0.0.0", port: 0 }, max_recv_msg_size_mib: 8 } }],
    ["http: ", { grpc: undefined, http: { endpoint: { port: 4318 } } }],
  ])("protocols: {%s} serves what is named and nothing else", (text, expected) => {
    const { config } = loadConfig({ files: [{ name: "t", text: withHttp("").replace("http: {}", text) }], env: {} });
    expect(config.receivers.get("otlp")!.options).toMatchObject(expected);
  });

  it.each([
    ["300ms", 300],
    ["1.5s", 1500],
    ["2h45m", 9_900_000],
    ["1m0.5s", 60_500],
  ])("the duration %s is %i ms", (text, millis) => {
    const file = `receivers: {otlp: {protocols: {http: }}}
exporters: {postgres: {write_timeout: ${text}}}
service: {pipelines: {traces: {receivers: [otlp], exporters: [postgres]}}}`;
    const exporter = loadConfig({ files: [{ name: "t", text: file }], env: {} }).config.exporters.get("postgres");
    expect(exporter).toMatchObject({ options: { write_timeout: millis } });
  });

  it.each([
    ['"[::1]:4318"', { host: "::1", port: 4318 }],
    ['":4318"', { host: "0.0.0.0", port: 4318 }],
    ["localhost:0", { host: "localhost", port: 0 }],
  ])("the endpoint %s is understood", (text, expected) => {
    expect(httpOf(`endpoint: ${text}`).http.endpoint).toEqual(expected);
  });
});

describe("expansion", () => {
  it.each<[string, string, Record<string, string>, string]>([
    ["a variable inside a longer string", "/a/${env:X}/b", { X: "7" }, "/a/7/b"],
    ["the short form", "/${X}", { X: "short" }, "/short"],
    ["a default where it is unset", "/${env:X:-d}", {}, "/d"],
    ["an empty variable stays empty", "/x${env:X:-d}", { X: "" }, "/x"],
    ["an empty default", "/x${env:X:-}", {}, "/x"],
    ["a doubled dollar is a dollar", "/$${X}", { X: "no" }, "/${X}"],
    ["an odd run of dollars escapes in pairs", "/$$${X}", { X: "yes" }, "/$yes"],
    ["nested references, inside out", "/${env:${Y}}", { Y: "X", X: "deep" }, "/deep"],
    ["what a variable holds is expanded in turn", "/x${env:X}", { X: "${Y}", Y: "deep" }, "/xdeep"],
    ["a doubled dollar in a variable is a dollar", "/x${env:X}", { X: "a$$b" }, "/xa$b"],
    ["a path without its slash gets one", "v1", {}, "/v1"],
    ["a number keeps its text in a text field", "${env:X}", { X: "/007" }, "/007"],
  ])("%s", (_, given, env, expected) => {
    expect(httpOf(`traces_url_path: '${given}'`, env).http.traces_url_path).toBe(expected);
  });

  it("a whole value is typed as YAML", () => {
    expect(httpOf("max_request_body_size: '${env:SIZE}'", { SIZE: "4096" }).http.max_request_body_size).toBe(4096);
  });

  it("SIZ-12 no configuration lets in a request longer than a JavaScript string may be", () => {
    const limits = "max_request_body_size: 268435456";
    expect(httpOf(limits).http.max_request_body_size).toBe(268_435_456);
    expect(problemsOf(withHttp("max_request_body_size: 629145600"))).toEqual([
      expect.stringMatching(/max_request_body_size: must be .*268435456/),
    ]);
  });

  it("an unset variable without default warns and counts as null", () => {
    const { warnings } = httpOf("cors: '${env:NONE}'");
    expect(warnings).toEqual(["Configuration references unset environment variable NONE"]);
  });

  it.each<[string, string, Record<string, string>]>([
    ["a reference to itself", "${A}", { A: "${A}" }],
    ["two that refer to each other", "x${A}", { A: "${B}", B: "y${A}" }],
    ["values that double in every round", "${A}", { A: "${B}${B}", B: "${C}${C}", C: "${A}${A}" }],
    ["more than a thousand levels", `${"${env:A:-".repeat(1100)}x${"}".repeat(1100)}`, {}],
  ])("expansion without end is refused: %s", (_, given, env) => {
    expect(problemsOf(withHttp(`traces_url_path: '${given}'`), env)).toEqual([
      expect.stringContaining("traces_url_path: too many recursive expansions"),
    ]);
  });

  it.each<[string, string, Record<string, string>, string]>([
    ["a dollar left in a reference", "${env:A$B}", {}, `the uri "env:A$B" contains unsupported characters ('$')`],
    ["a default without the scheme", "${HOST:-x}", {}, "invalid uri: write ${env:HOST:-…}"],
    ["another scheme", "${yaml:x}", {}, 'scheme "yaml" is not supported for uri "yaml:…"'],
    ["a name that comes out of a variable", "${env:${A}}", { A: "s3cr3t !" }, 'environment variable "[REDACTED]" has invalid name'],
  ])("%s is refused, and the secret in it not shown", (_, given, env, expected) => {
    const problems = problemsOf(withHttp(`traces_url_path: '${given}'`), env);
    expect(problems).toEqual([expect.stringContaining(expected)]);
    expect(problems[0]).toMatch(/^failed to get config: cannot resolve the configuration: receivers::otlp::/);
    expect(problems[0]).not.toContain("s3cr3t");
  });

  it("a whole section may come from one variable, and its faults show neither keys nor values", () => {
    const { http } = httpOf("cors: '${env:CORS}'", { CORS: "{allowed_origins: [https://a.example], max_age: 60}" });
    expect(http.cors).toEqual({ allowed_origins: ["https://a.example"], allowed_headers: [], max_age: 60 });
    const problems = problemsOf(withHttp("cors: '${env:CORS}'"), { CORS: "{s3cr3t: 1, max_age: -4711}" });
    expect(problems).toEqual([
      'failed to get config: error reading configuration for "otlp": receivers::otlp::protocols::http::cors: has invalid keys: [REDACTED] (valid keys: allowed_origins, allowed_headers, max_age)',
      'failed to get config: error reading configuration for "otlp": receivers::otlp::protocols::http::cors::max_age: must be at least 0, got ${env:CORS}',
    ]);
  });

  it("nothing is expanded in keys", () => {
    expect(problemsOf(withHttp("'${env:KEY}': 1"), { KEY: "endpoint" })).toEqual([
      expect.stringContaining("has invalid keys: ${env:KEY} ("),
    ]);
  });
});

describe("several files and --set", () => {
  const base = withHttp("endpoint: '127.0.0.1:1', traces_url_path: /a");

  it("maps merge, scalars replace", () => {
    const { config } = loadConfig({
      files: [
        { name: "a", text: base },
        { name: "b", text: "receivers: {otlp: {protocols: {http: {endpoint: 'localhost:2'}}}}" },
      ],
      env: {},
    });
    expect(config.receivers.get("otlp")!.options.http).toMatchObject({ endpoint: { host: "localhost", port: 2 }, traces_url_path: "/a" });
  });

  it("lists replace", () => {
    const { config } = loadConfig({
      files: [
        { name: "a", text: base },
        { name: "b", text: "exporters: {debug: }\nservice: {pipelines: {traces: {exporters: [debug]}}}" },
      ],
      env: {},
    });
    expect(config.service.pipelines.get("traces")!.exporters).toEqual(["debug"]);
  });

  it("null wipes the earlier map", () => {
    const { config } = loadConfig({
      files: [
        { name: "a", text: base },
        { name: "b", text: "receivers: {otlp: {protocols: {http: null}}}" },
      ],
      env: {},
    });
    expect(config.receivers.get("otlp")!.options.http!.endpoint.port).toBe(4318);
  });

  it.each([["=1"], ["a..b=1"], ["novalue"]])("--set %s is refused with an example, and its value not shown", (set) => {
    const load = () => loadConfig({ files: [{ name: "a", text: base }], env: {}, sets: [set] });
    expect(load).toThrow("failed to get config: --set wants key=value, such as exporters.debug.verbosity=normal");
  });

  it("--set comes last and is typed", () => {
    const { config } = loadConfig({
      files: [{ name: "a", text: base }],
      env: {},
      sets: ["receivers.otlp.protocols.http.max_request_body_size=10"],
    });
    expect(config.receivers.get("otlp")!.options.http!.max_request_body_size).toBe(10);
  });
});

it("PRC-11 every fault is named by its key, and no value of the environment is shown", () => {
  const secret = "canary-4711";
  const problems = problemsOf(withHttp("endpoint: '${env:SECRET}', nope: '${env:SECRET}', max_request_body_size: '${env:SECRET}'"), {
    SECRET: secret,
  });
  expect(problems.some((problem) => problem.includes("nope"))).toBe(true);
  expect(problems.join("\n")).not.toContain(secret);
});

it("docs/configuration.md names every key that is accepted, with its default", () => {
  const docs = readFileSync(new URL("../../../docs/configuration.md", import.meta.url), "utf8");
  const folder = new URL("../../../collector/config/components/", import.meta.url);
  const sources = readdirSync(folder).map((name) => readFileSync(new URL(name, folder), "utf8"));
  const keys = sources.flatMap((source) => [...source.matchAll(/^ {2,4}(\w+): (?:field|optional|switchedOn)\(/gm)].map(([, key]) => key!));
  expect(keys.length).toBeGreaterThan(40);
  expect(keys.filter((key) => !docs.includes(`\`${key}\``))).toEqual([]);
  for (const value of [64 * 1024 * 1024, 192 * 1024 * 1024, 4 * 1024 * 1024]) expect(docs).toContain(String(value));
});
