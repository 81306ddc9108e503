import { MAX_BATCH_BYTES, MAX_PENDING_BYTES, MAX_REQUEST_BYTES, WRITE_DEADLINE_MS } from "../base/limits.ts";
import {
  durationMillis,
  type Endpoint,
  endpoint,
  field,
  integer,
  list,
  oneOf,
  optional,
  type Place,
  type Reader,
  scalar,
  section,
  text,
  urlPath,
} from "./shape.ts";

/** Default addresses: this machine only. */
const OTLP_HTTP: Endpoint = { host: "127.0.0.1", port: 4318 };
const OTLP_GRPC: Endpoint = { host: "127.0.0.1", port: 4317 };
const WEB: Endpoint = { host: "127.0.0.1", port: 4319 };

/** Browsers that may send; without origins none may. */
const cors = section({
  /** Origins, each exact or with one `*`. */
  allowed_origins: field(list(text), [] as readonly string[]),
  /** Headers beyond those a simple request may carry. */
  allowed_headers: field(list(text), [] as readonly string[]),
  /** Seconds a browser may remember the answer. */
  max_age: field(integer(0), 0),
});

const http = section({
  /** Where to listen. */
  endpoint: field(endpoint, OTLP_HTTP),
  traces_url_path: field(urlPath, "/v1/traces"),
  logs_url_path: field(urlPath, "/v1/logs"),
  metrics_url_path: field(urlPath, "/v1/metrics"),
  /** Bytes of a request, also after inflating. */
  max_request_body_size: field(integer(1), MAX_REQUEST_BYTES),
  cors: optional(cors),
});

const MIB = 1024 * 1024;

const grpc = section({
  /** Where to listen. */
  endpoint: field(endpoint, OTLP_GRPC),
  /** MiB of a message, also after inflating. */
  max_recv_msg_size_mib: field(integer(1, 1024), MAX_REQUEST_BYTES / MIB),
});

const protocols = section({ grpc: optional(grpc), http: optional(http) });

/** The protocols that an OTLP receiver serves: those that are named, even without options. */
interface OtlpProtocols {
  readonly grpc: ReturnType<typeof grpc> | undefined;
  readonly http: ReturnType<typeof http> | undefined;
}

const otlp: Reader<OtlpProtocols> = (value, place) => {
  const read = section({ protocols: optional(protocols) })(value, place);
  const given = typeof value === "object" && value !== null && "protocols" in value ? value.protocols : undefined;
  const names = typeof given === "object" && given !== null ? Object.keys(given) : [];
  const served = {
    grpc: names.includes("grpc") ? (read.protocols?.grpc ?? grpc(null, place)) : undefined,
    http: names.includes("http") ? (read.protocols?.http ?? http(null, place)) : undefined,
  };
  if (Object.values(served).every((protocol) => protocol === undefined)) {
    place.problems.push(`${place.path}: must specify at least one protocol when using the OTLP receiver`);
  }
  return served;
};

const memoryLimiterFields = section({
  /** How often memory is looked at. */
  check_interval: field(durationMillis, 0),
  /** Hard limit of the process's resident memory. */
  limit_mib: field(integer(0), 0),
  /** The same as a share of the machine's (or container's) memory. */
  limit_percentage: field(integer(0, 100), 0),
  /** Below the hard limit by this much begins refusal; 20 % of the limit when left out. */
  spike_limit_mib: field(integer(0), 0),
  spike_limit_percentage: field(integer(0, 100), 0),
});

const memoryLimiter: Reader<ReturnType<typeof memoryLimiterFields>> = (value, place) => {
  const read = memoryLimiterFields(value, place);
  const say = (message: string): void => void place.problems.push(`${place.path}: ${message}`);
  if (read.check_interval <= 0) say("'check_interval' must be greater than zero");
  if (read.limit_mib === 0 && read.limit_percentage === 0) say("'limit_mib' or 'limit_percentage' must be greater than zero");
  if (read.limit_mib > 0 && read.spike_limit_mib >= read.limit_mib) say("'spike_limit_mib' must be smaller than 'limit_mib'");
  return read;
};

const actionFields = section({
  key: field(text, ""),
  action: field(oneOf("insert", "update", "upsert", "delete"), "upsert" as "insert" | "update" | "upsert" | "delete"),
  value: optional(scalar),
  from_attribute: optional(text),
});

/** One rule of the attributes processor. */
export type AttributeAction = ReturnType<typeof actionFields>;

const action: Reader<AttributeAction> = (value, place) => {
  const read = actionFields(value, place);
  const say = (message: string): void => void place.problems.push(`${place.path}: ${message}`);
  const named = typeof value === "object" && value !== null && "action" in value;
  if (!named) say('error creating AttrProc due to missing required field "action"');
  if (read.key === "") say('error creating AttrProc due to missing required field "key"');
  const sources = [read.value, read.from_attribute].filter((source) => source !== undefined).length;
  if (read.action === "delete" && sources > 0) say('action "delete" takes no "value" or "from_attribute"');
  if (read.action !== "delete" && sources !== 1) say(`action "${read.action}" wants exactly one of "value" and "from_attribute"`);
  return read;
};

const attributes: Reader<{ readonly actions: readonly AttributeAction[] }> = (value, place) => {
  const read = section({ actions: field(list(action), [] as readonly AttributeAction[]) })(value, place);
  if (read.actions.length === 0)
    place.problems.push(`${place.path}: error creating "attributes" processor due to missing required field "actions"`);
  return read;
};

const postgres = section({
  /** Sessions that write at the same time. */
  connections: field(integer(1, 16), 2),
  /** Request and row bytes that may wait for a commit; above it senders are told to come back. */
  max_pending_bytes: field(integer(1024 * 1024), MAX_PENDING_BYTES),
  /** Size at which a batch closes. */
  max_batch_bytes: field(integer(64 * 1024, 64 * 1024 * 1024), MAX_BATCH_BYTES),
  /** A request not committed after this long is answered with a retryable failure. */
  write_timeout: field(durationMillis, WRITE_DEADLINE_MS),
});

const debug = section({
  /** basic: a line per request · normal: also its rows by table. Content is never logged. */
  verbosity: field(oneOf("basic", "normal"), "basic" as "basic" | "normal"),
});

const web = section({ endpoint: field(endpoint, WEB) });

/** Every component there is, by kind and type: what is not here is refused by name. */
export const COMPONENTS = {
  receivers: { otlp },
  processors: { memory_limiter: memoryLimiter, attributes },
  exporters: { postgres, debug },
  extensions: { web },
} as const satisfies Record<string, Record<string, Reader<unknown>>>;

export type Kind = keyof typeof COMPONENTS;

/** The configuration of one component: its type, and its options with all defaults filled in. */
export type Component<K extends Kind> = {
  [T in keyof (typeof COMPONENTS)[K]]: {
    readonly type: T;
    readonly options: (typeof COMPONENTS)[K][T] extends Reader<infer O> ? O : never;
  };
}[keyof (typeof COMPONENTS)[K]];

/** Reads one component body. */
export function readComponent(kind: Kind, type: string, value: unknown, problems: string[], path: string): unknown {
  const readers: Record<string, Reader<unknown>> = COMPONENTS[kind];
  const place: Place = { path, problems };
  return readers[type]?.(value, place);
}
