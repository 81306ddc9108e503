import { describe, expect, it } from "vitest";
import { loadConfig } from "../../../collector/config/index.ts";
import {
  alertOptions,
  largestMessageBytes,
  listeningAddresses,
  listeningHosts,
  postgresOptions,
  storingReceiver,
} from "../../../collector/config/questions.ts";

const configOf = (text: string) => loadConfig({ files: [{ name: "t", text }], env: {} }).config;

const PIPELINE = "service: {extensions: [web], pipelines: {traces: {receivers: [otlp], exporters: [postgres]}}}";
const HTTP = "otlp: {protocols: {http: }}";

describe("what is defined and used nowhere", () => {
  const config = configOf(`
receivers:
  otlp/unused: {protocols: {http: {endpoint: "0.0.0.0:1", max_request_body_size: 268435456}}}
  ${HTTP}
exporters:
  postgres/unused: {retention: 1h, content_retention: 1h, content_archive: /elsewhere, connections: 9, pending_timeout: 1s, read_url: postgres://a@b/c}
  postgres: {retention: 720h}
extensions:
  web/unused: {endpoint: "0.0.0.0:2", public_url: https://unused.example}
  web: {public_url: https://used.example}
${PIPELINE}`);

  it("neither removes data nor sets anything else of the database", () => {
    expect(postgresOptions(config)).toMatchObject({
      retentionMillis: 720 * 3_600_000,
      contentRetentionMillis: 0,
      contentArchive: undefined,
      connections: 2,
      pendingTimeoutMillis: 3_600_000,
      readUrl: undefined,
    });
  });

  it("leaves what holds to the exporter that is used", () => {
    const used = configOf(`receivers: {${HTTP}}\nexporters: {postgres: {pending_timeout: 1h30m}}\nextensions: {web: }\n${PIPELINE}`);
    expect(postgresOptions(used).pendingTimeoutMillis).toBe(5_400_000);
  });

  it("removes nothing either where no pipeline stores", () => {
    const text = "exporters: {postgres: {retention: 1h}, debug: }\nservice: {pipelines: {traces: {receivers: [otlp], exporters: [debug]}}}";
    expect(postgresOptions(configOf(`receivers: {${HTTP}}\n${text}`)).retentionMillis).toBe(0);
  });

  it("is not listened on, and sizes nothing", () => {
    expect(listeningHosts(config)).toEqual(["127.0.0.1", "127.0.0.1"]);
    expect(largestMessageBytes(config)).toBe(64 * 1024 * 1024);
  });

  it("tells no alerts", () => {
    expect(alertOptions(config).publicUrl).toBe("https://used.example");
  });
});

describe("the addresses of a collector", () => {
  it.each([
    ["OTLP/HTTP", "http"],
    ["OTLP/gRPC", "grpc"],
    ["the web pages", "web"],
  ])("AUT-01 include that of %s, wherever it listens: on another host it needs a key", (_, open) => {
    const at = (name: string): string => (name === open ? "0.0.0.0:0" : "127.0.0.1:0");
    const config = configOf(`
receivers: {otlp: {protocols: {http: {endpoint: "${at("http")}"}, grpc: {endpoint: "${at("grpc")}"}}}}
exporters: {postgres: }
extensions: {web: {endpoint: "${at("web")}"}}
${PIPELINE}`);
    expect(listeningHosts(config).toSorted()).toEqual(["0.0.0.0", "127.0.0.1", "127.0.0.1"]);
  });

  it("have the keys that move them", () => {
    const config = configOf(`receivers: {otlp: {protocols: {http: , grpc: }}}\nexporters: {postgres: }\nextensions: {web: }\n${PIPELINE}`);
    expect(listeningAddresses(config).map(({ key }) => key)).toEqual([
      "receivers::otlp::protocols::http::endpoint",
      "receivers::otlp::protocols::grpc::endpoint",
      "extensions::web::endpoint",
    ]);
  });
});

describe("what comes through no receiver", () => {
  const withPipelines = (pipelines: string) =>
    configOf(`receivers: {otlp/a: {protocols: {http: }}, otlp/b: {protocols: {grpc: }}, otlp/c: {protocols: {http: {endpoint: ":0"}}}}
exporters: {postgres: , debug: }
service: {pipelines: {${pipelines}}}`);

  it("goes the way of traces to the database, past what is only watched", () => {
    const config = withPipelines(
      "traces: {receivers: [otlp/a], exporters: [debug]}, logs: {receivers: [otlp/b], exporters: [postgres]}, traces/2: {receivers: [otlp/c], exporters: [postgres]}",
    );
    expect(storingReceiver(config)).toBe("otlp/c");
  });

  it("has no way where nothing is stored", () => {
    expect(storingReceiver(withPipelines("traces: {receivers: [otlp/a], exporters: [debug]}"))).toBeUndefined();
  });
});
