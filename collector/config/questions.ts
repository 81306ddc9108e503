import { MAX_BATCH_BYTES, MAX_PENDING_BYTES, WRITE_DEADLINE_MS } from "../base/limits.ts";
import type { Component, Config } from "./index.ts";

const MIB = 1024 * 1024;

/** Of all receivers: a request may be so large, also after inflating. */
export function largestMessageBytes(config: Config): number {
  const limits = [...config.receivers.values()].flatMap(({ options: { http, grpc } }) => [
    http?.max_request_body_size ?? 0,
    (grpc?.max_recv_msg_size_mib ?? 0) * MIB,
  ]);
  return Math.max(0, ...limits);
}

/** Every host on which the collector listens with this configuration. */
export function listeningHosts(config: Config): string[] {
  const used = new Set([...config.service.pipelines.values()].flatMap((pipeline) => pipeline.receivers));
  const receivers = [...config.receivers]
    .filter(([id]) => used.has(id))
    .flatMap(([, { options }]) => [options.http, options.grpc].flatMap((protocol) => protocol?.endpoint.host ?? []));
  const extensions = config.service.extensions
    .flatMap((id) => config.extensions.get(id) ?? [])
    .map((extension) => extension.options.endpoint.host);
  return [...receivers, ...extensions];
}

/** How alerts are told: of the extension `web` that runs. */
export function alertOptions(config: Config) {
  const id = config.service.extensions.find((each) => config.extensions.get(each)?.type === "web");
  const options = id === undefined ? undefined : config.extensions.get(id)?.options;
  return { publicUrl: options?.public_url, smtpUrl: options?.smtp_url, emailFrom: options?.email_from ?? "genspan@localhost" };
}

/** Options of the exporter `postgres`, in words of the program; its defaults where no pipeline names one. */
export function postgresOptions(config: Config) {
  const found = [...config.exporters.values()].find(
    (exporter): exporter is Extract<Component<"exporters">, { type: "postgres" }> => exporter.type === "postgres",
  );
  return {
    connections: found?.options.connections ?? 2,
    maxPendingBytes: found?.options.max_pending_bytes ?? MAX_PENDING_BYTES,
    maxBatchBytes: found?.options.max_batch_bytes ?? MAX_BATCH_BYTES,
    writeDeadlineMillis: found?.options.write_timeout ?? WRITE_DEADLINE_MS,
    retentionMillis: found?.options.retention ?? 0,
    contentRetentionMillis: found?.options.content_retention ?? 0,
    contentArchive: found?.options.content_archive,
    readUrl: found?.options.read_url,
  };
}
