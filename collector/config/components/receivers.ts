import { LARGEST_REQUEST_BYTES, MAX_REQUEST_BYTES } from "../../base/limits.ts";
import { type Endpoint, endpoint, integer, text, urlPath } from "../scalars.ts";
import { checked, field, list, type Reader, section, switchedOn } from "../shape.ts";

/** Default addresses: this machine only. */
const OTLP_HTTP: Endpoint = { host: "127.0.0.1", port: 4318 };
const OTLP_GRPC: Endpoint = { host: "127.0.0.1", port: 4317 };

const MIB = 1024 * 1024;
const NO_TLS = { tls: "put a proxy that ends TLS in front", auth: "keys are made by `genspan key create`" };

/** Browsers that may send; without origins none may. */
const cors = section({
  /** Origins, each exact or with one `*`. */
  allowed_origins: field(list(text), [] as readonly string[]),
  /** Headers beyond those a simple request may carry. */
  allowed_headers: field(list(text), [] as readonly string[]),
  /** Seconds a browser may remember the answer. */
  max_age: field(integer(0), 0),
});

const http = section(
  {
    /** Where to listen. */
    endpoint: field(endpoint, OTLP_HTTP),
    traces_url_path: field(urlPath, "/v1/traces"),
    logs_url_path: field(urlPath, "/v1/logs"),
    metrics_url_path: field(urlPath, "/v1/metrics"),
    /** Bytes of a request, also after inflating. */
    max_request_body_size: field(integer(1, LARGEST_REQUEST_BYTES), MAX_REQUEST_BYTES),
    cors: switchedOn(cors),
  },
  NO_TLS,
);

const grpc = section(
  {
    /** Where to listen. */
    endpoint: field(endpoint, OTLP_GRPC),
    /** MiB of a message, also after inflating. */
    max_recv_msg_size_mib: field(integer(1, LARGEST_REQUEST_BYTES / MIB), MAX_REQUEST_BYTES / MIB),
  },
  NO_TLS,
);

const protocols = section({
  grpc: switchedOn(grpc),
  http: switchedOn(http),
});

/** The protocols that an OTLP receiver serves: those that are named, even without options. */
type OtlpProtocols = ReturnType<typeof protocols>;

const NO_PROTOCOL: OtlpProtocols = { grpc: undefined, http: undefined };

const otlpFields = checked(section({ protocols: field(protocols, NO_PROTOCOL) }), (read, say) => {
  if (Object.values(read.protocols).every((protocol) => protocol === undefined)) {
    say("must specify at least one protocol when using the OTLP receiver");
  }
});

export const otlp: Reader<OtlpProtocols> = (value, place) => otlpFields(value, place).protocols;
