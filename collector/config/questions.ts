import { MAX_BATCH_BYTES, MAX_PENDING_BYTES, PENDING_TIMEOUT_MS, WRITE_DEADLINE_MS } from "../base/limits.ts";
import type { Component, Config, Endpoint } from "./index.ts";

const MIB = 1024 * 1024;

type Receiver = readonly [id: string, Component<"receivers">];

/** Those that a pipeline uses: what is only defined is not started, and nothing of it holds. */
export function usedReceivers({ receivers, service }: Config): Receiver[] {
  const used = new Set([...service.pipelines.values()].flatMap((pipeline) => pipeline.receivers));
  return [...receivers].filter(([id]) => used.has(id));
}

/** The same of exporters. */
export function usedExporters({ exporters, service }: Config): [id: string, Component<"exporters">][] {
  const used = new Set([...service.pipelines.values()].flatMap((pipeline) => pipeline.exporters));
  return [...exporters].filter(([id]) => used.has(id));
}

/** Of all receivers that run: a request may be so large, also after inflating. */
export function largestMessageBytes(config: Config): number {
  const limits = usedReceivers(config).flatMap(([, { options }]) => [
    options.http?.max_request_body_size ?? 0,
    (options.grpc?.max_recv_msg_size_mib ?? 0) * MIB,
  ]);
  return Math.max(0, ...limits);
}

/** The receiver whose way to the database takes what comes through none: one that stores traces before one that stores other things. */
export function storingReceiver(config: Config): string | undefined {
  const storing = [...config.service.pipelines.values()]
    .filter(({ exporters }) => exporters.some((id) => config.exporters.get(id)?.type === "postgres"))
    .toSorted((a, b) => Number(b.signal === "traces") - Number(a.signal === "traces"));
  return storing[0]?.receivers[0];
}

/** Where the collector listens. */
export interface ListeningAddress {
  readonly serves: "http" | "grpc" | "web";
  readonly endpoint: Endpoint;
  /** The configuration key that moves it. */
  readonly key: string;
  /** Where OTLP/HTTP takes traces. */
  readonly tracesPath?: string;
}

/** Every address on which the collector listens with this configuration. */
export function listeningAddresses(config: Config): ListeningAddress[] {
  const receivers = usedReceivers(config).flatMap(
    ([
      id,
      {
        options: { http, grpc },
      },
    ]): ListeningAddress[] => {
      const key = (protocol: string): string => `receivers::${id}::protocols::${protocol}::endpoint`;
      return [
        ...(http === undefined
          ? []
          : [{ serves: "http" as const, endpoint: http.endpoint, key: key("http"), tracesPath: http.traces_url_path }]),
        ...(grpc === undefined ? [] : [{ serves: "grpc" as const, endpoint: grpc.endpoint, key: key("grpc") }]),
      ];
    },
  );
  const web = webExtension(config);
  const pages =
    web === undefined ? [] : [{ serves: "web" as const, endpoint: web.options.endpoint, key: `extensions::${web.id}::endpoint` }];
  return [...receivers, ...pages];
}

/** Every host on which the collector listens with this configuration. */
export const listeningHosts = (config: Config): string[] => listeningAddresses(config).map(({ endpoint }) => endpoint.host);

/** The extension `web` that runs; validation lets no second one run. */
export function webExtension({ extensions, service }: Config) {
  const id = service.extensions.find((each) => extensions.get(each)?.type === "web");
  const web = id === undefined ? undefined : extensions.get(id);
  return id === undefined || web === undefined ? undefined : { id, options: web.options };
}

/** How alerts are told: of the extension `web` that runs. */
export function alertOptions(config: Config) {
  const options = webExtension(config)?.options;
  return { publicUrl: options?.public_url, smtpUrl: options?.smtp_url, emailFrom: options?.email_from ?? "genspan@localhost" };
}

type Postgres = Extract<Component<"exporters">, { type: "postgres" }>;

/** Options of the exporters `postgres` that run, which validation holds to be the same, in words of the program; its defaults where none runs. */
export function postgresOptions(config: Config) {
  const found = usedExporters(config).find((used): used is [string, Postgres] => used[1].type === "postgres")?.[1];
  return {
    connections: found?.options.connections ?? 2,
    maxPendingBytes: found?.options.max_pending_bytes ?? MAX_PENDING_BYTES,
    maxBatchBytes: found?.options.max_batch_bytes ?? MAX_BATCH_BYTES,
    writeDeadlineMillis: found?.options.write_timeout ?? WRITE_DEADLINE_MS,
    pendingTimeoutMillis: found?.options.pending_timeout ?? PENDING_TIMEOUT_MS,
    retentionMillis: found?.options.retention ?? 0,
    contentRetentionMillis: found?.options.content_retention ?? 0,
    contentArchive: found?.options.content_archive,
    readUrl: found?.options.read_url,
  };
}
