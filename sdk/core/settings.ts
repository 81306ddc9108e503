import { parseKeyPairsIntoRecord } from "@opentelemetry/core";
import type { Instrumentation } from "@opentelemetry/instrumentation";
import type { SpanProcessor } from "@opentelemetry/sdk-trace";
import type { ContentKinds, ContentPlace, ContentPolicy } from "./content-policy.ts";
import {
  createOptionReader,
  isAnything,
  isFlag,
  isFunction,
  isHeader,
  isHttpUrl,
  isList,
  isObject,
  isPositive,
  isText,
  type OptionReader,
  oneOf,
} from "./option-reader.ts";
import {
  type Compression,
  DEFAULT_LIMITS,
  type Headers,
  type PendingMode,
  type Protocol,
  type TracingLimits,
  type TracingOptions,
} from "./options.ts";
import { MAX_TIMER_MS } from "./waiting.ts";

/** Options with the environment and the defaults filled in. */
export interface Settings {
  readonly enabled: boolean;
  /** Undefined where the address that was given is none: nothing is sent to another in its place. */
  readonly target: Target | undefined;
  readonly forward: readonly Target[];
  readonly serviceName: string | undefined;
  readonly resourceAttributes: Readonly<Record<string, string | number | boolean>>;
  readonly content: ContentPolicy;
  readonly redact: ((text: string, place: ContentPlace) => string) | undefined;
  readonly pending: PendingMode;
  readonly pendingDelayMillis: number;
  readonly pendingWaitMillis: number;
  readonly exitHooks: boolean;
  readonly exitTimeoutMillis: number;
  readonly limits: TracingLimits;
  readonly instrumentations: readonly (Instrumentation | Instrumentation[])[];
  readonly spanProcessors: readonly SpanProcessor[];
  readonly onProblem: TracingOptions["onProblem"];
  /** What makes no sense and counts as not given: a sentence for each, without addresses and keys. */
  readonly faults: readonly string[];
}

/** Where records are sent. What is undefined, the exporter takes from the standard variables or its own defaults. */
export interface Target {
  readonly url: string;
  readonly headers: Headers;
  readonly protocol: Protocol;
  readonly compression: Compression | undefined;
  readonly timeoutMillis: number | undefined;
}

/** Variables of the process. */
export type Environment = Readonly<Record<string, string | undefined>>;
type Variable = (name: string) => string | undefined;

/** Fills in the environment (by default the process's own) and the defaults. Never throws: what makes no sense counts as not given and is told in `faults`. */
export function resolveOptions(options: TracingOptions = {}, environment: Environment = process.env): Settings {
  const variable: Variable = (name) => environment[name]?.trim() || undefined;
  const faults: string[] = [];
  const given = createOptionReader(options, faults);
  if (!isObject(options) && options !== null) given.fault("the options have to be an object; they count as not given");
  return {
    enabled: variable("OTEL_SDK_DISABLED")?.toLowerCase() !== "true",
    target: mainTarget(given, variable),
    forward: forwardTargets(given),
    serviceName: given.read("serviceName", isText, "a text") ?? variable("OTEL_SERVICE_NAME"),
    resourceAttributes: resourceAttributes(given),
    ...contentOf(given, variable),
    pending: given.read("pending", oneOf("background", "await", "off"), "background, await or off") ?? "background",
    pendingDelayMillis: readMillis(given, "pendingDelayMillis") ?? 50,
    pendingWaitMillis: readMillis(given, "pendingWaitMillis") ?? 2_000,
    exitHooks: given.read("exitHooks", isFlag, "true or false") ?? true,
    exitTimeoutMillis: readMillis(given, "exitTimeoutMillis") ?? 2_000,
    limits: resolveLimits(given.within("limits"), variable("OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT")),
    instrumentations: given.list("instrumentations", isSome<Instrumentation | Instrumentation[]>, "a list of instrumentations"),
    spanProcessors: given.list("spanProcessors", isSome<SpanProcessor>, "a list of span processors"),
    onProblem: given.read(
      "onProblem",
      isFunction,
      "a function; problems go to OpenTelemetry's diagnostic logger",
    ) as TracingOptions["onProblem"],
    faults,
  };
}

/** No more of it can be known. */
const isSome = <T extends object>(value: unknown): value is T => isObject(value);

function readMillis(given: OptionReader, name: string): number | undefined {
  const millis = given.read(name, isPositive, "a positive number of milliseconds");
  return millis === undefined ? undefined : Math.min(millis, MAX_TIMER_MS);
}

function resolveLimits(given: OptionReader, valueLength: string | undefined): TracingLimits {
  const fromEnvironment = Number(valueLength);
  const limits = { ...DEFAULT_LIMITS, ...(isPositive(fromEnvironment) ? { attributeBytes: fromEnvironment } : {}) };
  const own = (Object.keys(limits) as (keyof TracingLimits)[]).flatMap((name) => {
    const limit = given.read(name, isPositive, "a positive number");
    return limit === undefined ? [] : [[name, limit] as const];
  });
  return { ...limits, ...Object.fromEntries(own) };
}

/** The URL of the traces signal under a base URL; one that is already that stays. */
export function tracesUrl(endpoint: string): string {
  const base = endpoint.trim().replace(/\/+$/, "");
  return base.endsWith("/v1/traces") ? base : `${base}/v1/traces`;
}

const ADDRESS = "an address that begins with http:// or https://";
const isProtocol = oneOf<Protocol>("http/json", "http/protobuf");
const isCompression = oneOf<Compression>("gzip", "none");
const PROTOCOLS = "http/json or http/protobuf";
const COMPRESSIONS = "gzip or none";

function mainTarget(given: OptionReader, variable: Variable): Target | undefined {
  const url = mainUrl(given, variable);
  if (url === undefined) return undefined;
  return {
    url,
    headers: joinHeaders(headersFromEnvironment(given.read("apiKey", isText, "a text"), variable, given), headersOf(given)),
    protocol: given.read("protocol", isProtocol, PROTOCOLS) ?? protocolFromEnvironment(given, variable),
    compression: given.read("compression", isCompression, COMPRESSIONS),
    timeoutMillis: readMillis(given, "timeoutMillis"),
  };
}

/** The option, else the variable of the signal (taken as it is), else the general one, else the port on which collectors listen. */
function mainUrl(given: OptionReader, variable: Variable): string | undefined {
  let isGiven = false;
  const endpoint = given.read(
    "endpoint",
    (value): value is string => {
      isGiven = true;
      return isText(value) && isHttpUrl(tracesUrl(value));
    },
    `${ADDRESS}; nothing is sent there`,
  );
  if (isGiven) return endpoint === undefined ? undefined : tracesUrl(endpoint);
  const ofSignal = variable("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT");
  const url = ofSignal ?? `${(variable("OTEL_EXPORTER_OTLP_ENDPOINT") ?? "http://localhost:4318").replace(/\/+$/, "")}/v1/traces`;
  if (isHttpUrl(url)) return url;
  const name = ofSignal === undefined ? "OTEL_EXPORTER_OTLP_ENDPOINT" : "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT";
  given.fault(`${name} has to be ${ADDRESS}; nothing is sent there`);
  return undefined;
}

function protocolFromEnvironment(given: OptionReader, variable: Variable): Protocol {
  const name = ["OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "OTEL_EXPORTER_OTLP_PROTOCOL"].find((each) => variable(each) !== undefined);
  const protocol = name === undefined ? undefined : variable(name);
  if (isProtocol(protocol)) return protocol;
  if (protocol !== undefined) given.fault(`${name} is taken as http/json: the SDK speaks ${PROTOCOLS}`);
  return "http/json";
}

function headersFromEnvironment(apiKey: string | undefined, variable: Variable, given: OptionReader): Record<string, string> {
  const key = apiKey ?? variable("GENSPAN_API_KEY");
  return sendable(
    Object.entries({
      ...parseKeyPairsIntoRecord(variable("OTEL_EXPORTER_OTLP_HEADERS")),
      ...parseKeyPairsIntoRecord(variable("OTEL_EXPORTER_OTLP_TRACES_HEADERS")),
      ...(key === undefined ? {} : { authorization: `Bearer ${key}` }),
    }),
    given,
  );
}

function headersOf(given: OptionReader): Headers | undefined {
  const isHeaders = (value: unknown): value is Headers => isFunction(value) || isObject(value);
  const headers = given.read("headers", isHeaders, "an object of texts or a function");
  if (typeof headers !== "object") return headers;
  const own = given.within("headers");
  const entries = own.names().map((name): [string, unknown] => [name, own.read(name, isAnything, "a text; it is left out")]);
  return sendable(entries, given);
}

/** One header that no request can carry would stop every request. */
function sendable(headers: readonly [string, unknown][], given: OptionReader): Record<string, string> {
  const sent = headers.filter((header): header is [string, string] => isHeader(...header));
  if (sent.length < headers.length) given.fault("a header that no request can carry is left out");
  return Object.fromEntries(sent);
}

function joinHeaders(base: Record<string, string>, headers: Headers | undefined): Headers {
  if (typeof headers !== "function") return { ...base, ...headers };
  return async () => ({ ...base, ...(await headers()) });
}

/** Only the destination that makes no sense is left out. */
function forwardTargets(given: OptionReader): Target[] {
  const list = given.list("forward", isAnything, "a list of destinations");
  return list.flatMap((_, i) => forwardTarget(given.within("forward").within(String(i))));
}

function forwardTarget(given: OptionReader): Target[] {
  const isAddress = (value: unknown): value is string => isText(value) && isHttpUrl(tracesUrl(value));
  const endpoint = given.need("endpoint", isAddress, `${ADDRESS}; nothing is sent there`);
  if (endpoint === undefined) return [];
  return [
    {
      url: tracesUrl(endpoint),
      headers: headersOf(given) ?? {},
      protocol: given.read("protocol", isProtocol, PROTOCOLS) ?? "http/json",
      compression: given.read("compression", isCompression, COMPRESSIONS),
      timeoutMillis: undefined,
    },
  ];
}

function resourceAttributes(given: OptionReader): Settings["resourceAttributes"] {
  const version = given.read("serviceVersion", isText, "a text");
  const environment = given.read("environment", isText, "a text");
  const more = given.within("resourceAttributes");
  const isScalar = (value: unknown): value is string | number | boolean => ["string", "number", "boolean"].includes(typeof value);
  const own = more.names().flatMap((name) => {
    const value = more.read(name, isScalar, "a text, a number, true or false");
    return value === undefined ? [] : [[name, value] as const];
  });
  return {
    ...(version === undefined ? {} : { "service.version": version }),
    ...(environment === undefined ? {} : { "deployment.environment.name": environment }),
    ...Object.fromEntries(own),
  };
}

const KEPT = "no content is recorded";

/** What was meant to keep content back and makes no sense keeps all of it back: also null, a name that is no kind of content, and what cannot be read. */
function contentOf(given: OptionReader, variable: Variable): Pick<Settings, "content" | "redact"> {
  const faults = given.faultCount();
  const policy = given.readStrictly("content", isContentPolicy, `full, metadata or an object of kinds; ${KEPT}`);
  const content = typeof policy === "object" ? contentKinds(given.within("content")) : policy;
  const redact = given.readStrictly("redact", isRedact, `a function; ${KEPT} without it`);
  if (given.faultCount() > faults) return { content: "metadata", redact };
  return { content: content ?? contentFromEnvironment(variable("OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT")), redact };
}

const isRedact = (value: unknown): value is NonNullable<TracingOptions["redact"]> => isFunction(value);

/** What holds no kind of content and is no plain object (a Map, a promise nobody awaited) is a mistake. */
const isContentPolicy = (value: unknown): value is ContentPolicy =>
  oneOf("full", "metadata")(value) ||
  (isObject(value) && !isList(value) && (Object.getPrototypeOf(value) === Object.prototype || KIND_NAMES.some((name) => name in value)));

const KIND_NAMES = ["prompts", "outputs", "reasoning", "errors", "images", "maxBytes"] as const satisfies readonly (keyof ContentKinds)[];

/** A copy: nothing is asked again of what may answer differently. */
function contentKinds(given: OptionReader): ContentKinds {
  if (!given.names().every(oneOf(...KIND_NAMES))) given.fault(`content names a kind of content that there is not; ${KEPT}`);
  const kinds = {
    ...Object.fromEntries(
      (["prompts", "outputs", "reasoning", "errors"] as const).map((name) => [
        name,
        given.readStrictly(name, isFlag, `true or false; ${KEPT}`),
      ]),
    ),
    images: given.readStrictly("images", oneOf("hash", "bytes", "none"), `hash, bytes or none; ${KEPT}`),
    maxBytes: given.readStrictly("maxBytes", isPositive, `a positive number; ${KEPT}`),
  };
  return Object.fromEntries(Object.entries(kinds).filter(([, value]) => value !== undefined));
}

/** The variable is a boolean in most instrumentations, and says where content goes in newer ones. */
function contentFromEnvironment(value: string | undefined): ContentPolicy {
  if (value === undefined) return "full";
  return /^(true|1|yes|on|span_only|span_and_event)$/i.test(value) ? "full" : "metadata";
}
