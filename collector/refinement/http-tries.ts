import { stringOf } from "../dialects/json.ts";
import { type ChildSpan, callKind, type ServerPlace } from "./facts.ts";

/** What a request over HTTP says about itself. */
interface HttpRequest {
  readonly span: ChildSpan;
  readonly method: string | undefined;
  readonly place: ServerPlace | undefined;
  readonly path: string | undefined;
}

export interface CalledServer {
  readonly operation: string | undefined;
  /** Where the call and its twins say that they were answered. */
  readonly places: readonly ServerPlace[];
}

/**
 * Those of the requests over HTTP below a call that are tries of it, in the order of their times. A call also fetches tokens, asks a vector store or
 * reports to a tracker: a try goes to the server that the call names. Where it names none, or nothing went there, the path or the host must be those of a
 * model's API; where the call names no server and no request has such, the most frequent request is meant.
 */
export function httpTries(children: readonly ChildSpan[], { operation, places }: CalledServer): ChildSpan[] {
  const paths = MODEL_PATHS[callKind(operation)];
  const isOfKind = ({ path }: HttpRequest): boolean => path !== undefined && paths.test(path);
  const requests = asking(children.filter(isHttpRequest).toSorted(byStart).map(toRequest));
  const possible = requests.filter((request) => isOfKind(request) || !(isOfAnyKind(request) || isErrand(request)));
  const there = possible.filter(
    ({ place }) => places.length > 0 && (place === undefined || places.some((each) => isSamePlace(each, place))),
  );
  if (there.length === 0)
    return (places.length > 0 ? possible.filter(isOfKind) : preferred(possible, [isOfKind, isAtProvider])).map(spanOf);
  const tries = preferred(there, [isOfKind]);
  const elsewhere = possible.filter((request) => !there.includes(request) && isOfKind(request) && followsFailure(request, tries));
  return [...tries, ...elsewhere].map(spanOf).toSorted(byStart);
}

export const isHttpRequest = ({ attributes }: Pick<ChildSpan, "attributes">): boolean =>
  attributes["http.request.method"] !== undefined || attributes["http.method"] !== undefined;

/** Three digits of HTTP's; anything else is some other number. */
export function httpStatusOf(attributes: ChildSpan["attributes"]): number | undefined {
  const value = attributes["http.response.status_code"] ?? attributes["http.status_code"];
  const code = typeof value === "string" ? Number(value) : value;
  return typeof code === "number" && Number.isInteger(code) && code >= 100 && code <= 999 ? code : undefined;
}

/** Whether a request was answered with what was asked for: no error, and no sending elsewhere. */
export function hasAnswer(span: ChildSpan): boolean {
  const status = httpStatusOf(span.attributes);
  return !span.failed && (status === undefined || status < 300);
}

/** What `placeOf` and `httpStatusOf` read. */
export const SERVER_ATTRIBUTES = [
  "server.address",
  "server.port",
  "net.peer.name",
  "net.peer.port",
  "http.host",
  "url.full",
  "http.url",
  "http.response.status_code",
  "http.status_code",
] as const;

/** The server that a span names, in the current or the older names of the conventions. */
export function placeOf(attributes: Readonly<Record<string, unknown>>): ServerPlace | undefined {
  const url = urlOf(attributes);
  const told = ["server.address", "net.peer.name", "http.host"]
    .map((name) => stringOf(attributes[name]))
    .find((text) => text !== undefined);
  const server = told === undefined ? url : parsedUrl(told.includes("://") ? told : `any://${told}`);
  if (server === undefined || server.hostname === "") return undefined;
  const port = [attributes["server.port"], attributes["net.peer.port"], server.port, url?.port].map(Number).find((number) => number > 0);
  const host = server.hostname.toLowerCase();
  return { host: LOOPBACK.has(host) ? "localhost" : host, port: port ?? DEFAULT_PORTS.get(url?.protocol ?? "") };
}

const LOOPBACK: ReadonlySet<string> = new Set(["127.0.0.1", "[::1]", "::1"]);
const DEFAULT_PORTS: ReadonlyMap<string, number> = new Map([
  ["https:", 443],
  ["http:", 80],
]);

const spanOf = ({ span }: HttpRequest): ChildSpan => span;
const byStart = (a: ChildSpan, b: ChildSpan): number => a.startMillis - b.startMillis || (a.spanId < b.spanId ? -1 : 1);

const isSamePlace = (a: ServerPlace, b: ServerPlace): boolean =>
  a.host === b.host && (a.port === undefined || b.port === undefined || a.port === b.port);

function urlOf(attributes: ChildSpan["attributes"]): URL | undefined {
  const text = stringOf(attributes["url.full"]) ?? stringOf(attributes["http.url"]);
  return text === undefined ? undefined : parsedUrl(text);
}

const parsedUrl = (text: string): URL | undefined => (URL.canParse(text) ? new URL(text) : undefined);

function toRequest(span: ChildSpan): HttpRequest {
  const { attributes } = span;
  const path = stringOf(attributes["url.path"]) ?? stringOf(attributes["http.target"]) ?? urlOf(attributes)?.pathname;
  return {
    span,
    method: stringOf(attributes["http.request.method"]) ?? stringOf(attributes["http.method"]),
    place: placeOf(attributes),
    path: path?.replace(/[?#].*$/s, "").replace(/\/+$/, ""),
  };
}

/** Polling for a result that was asked for before is no try; a call over a web socket has nothing but a GET. */
function asking(requests: readonly HttpRequest[]): readonly HttpRequest[] {
  const posts = requests.filter(({ method }) => !/^(GET|HEAD|OPTIONS|DELETE)$/i.test(method ?? ""));
  return posts.length > 0 ? posts : requests;
}

/** How requests to the APIs of models end, by what they ask for. Some platforms have one path for every kind. */
const ANY_MODEL = String.raw`\/invoke(-with-response-stream)?|\/invocations|\/predictions|:(stream)?rawPredict|:predict|:(stream)?generateContent`;
const MODEL_PATHS = {
  text: new RegExp(
    String.raw`(${ANY_MODEL}|\/chat|\/chat\/completions|\/completions|\/complete|\/responses|\/messages|\/generate(_stream)?|\/converse(-stream)?|\/rerank|\/audio\/\w+)$`,
    "i",
  ),
  embeddings: new RegExp(String.raw`(${ANY_MODEL}|\/embed|\/embeddings|:(batch)?embedContents?|:embedText)$`, "i"),
  image: new RegExp(
    String.raw`(${ANY_MODEL}|\/images\/\w+|\/responses|\/chat\/completions|:generateImages|\/text-to-image|\/generate(\/\w+)?)$`,
    "i",
  ),
} as const;

const isOfAnyKind = ({ path }: HttpRequest): boolean => path !== undefined && Object.values(MODEL_PATHS).some((paths) => paths.test(path));

/** Getting tokens, telemetry, and what vector stores are asked. */
const ERRAND_PATHS =
  /\/(oauth2?|token|login|signin|v1\/(traces|logs|metrics)|otlp|collections|points|vectors|telemetry|events?|track)(\/|$)|\/(query|upsert)$/i;
const ERRAND_HOSTS =
  /^(oauth2\.|login\.|auth\.|sts\.|otlp\.|169\.254\.|metadata\.)|\.(pinecone\.io|qdrant\.io|weaviate\.(cloud|network)|sentry\.io)$/;

const isErrand = ({ place, path }: HttpRequest): boolean =>
  (path !== undefined && ERRAND_PATHS.test(path)) || (place !== undefined && ERRAND_HOSTS.test(place.host));

const PROVIDER_HOSTS =
  /(^|\.)(openai\.com|openai\.azure\.com|cognitiveservices\.azure\.com|anthropic\.com|(generativelanguage|aiplatform)\.googleapis\.com|mistral\.ai|cohere\.(ai|com)|groq\.com|x\.ai|deepseek\.com|together\.(ai|xyz)|fireworks\.ai|openrouter\.ai|perplexity\.ai|replicate\.com|huggingface\.co|stability\.ai|fal\.(ai|run)|voyageai\.com|jina\.ai)$|^bedrock-runtime[\w.-]*\.amazonaws\.com$|-aiplatform\.googleapis\.com$/;

const isAtProvider = ({ place }: HttpRequest): boolean => place !== undefined && PROVIDER_HOSTS.test(place.host);

/** The requests with the first sign that any of them has, else the most frequent one: of equally frequent ones what took longest. */
function preferred(requests: readonly HttpRequest[], signs: readonly ((request: HttpRequest) => boolean)[]): readonly HttpRequest[] {
  for (const sign of signs) {
    const found = requests.filter(sign);
    if (found.length > 0) return found;
  }
  const groups = [...Map.groupBy(requests, ({ place, path }) => `${place?.host ?? ""} ${path ?? ""}`)];
  const took = (group: readonly HttpRequest[]): number => group.reduce((sum, { span }) => sum + (span.durationMillis ?? 0), 0);
  const [first] = groups.toSorted(([nameA, a], [nameB, b]) => b.length - a.length || took(b) - took(a) || (nameA < nameB ? -1 : 1));
  return first?.[1] ?? [];
}

const followsFailure = ({ span }: HttpRequest, tries: readonly HttpRequest[]): boolean =>
  tries.some(({ span: before }) => !hasAnswer(before) && before.startMillis + (before.durationMillis ?? 0) <= span.startMillis);
