import { html } from "hono/html";

/** What the start page says; everything as really bound. */
export interface StartPageModel {
  readonly version: string;
  /** Base URL of OTLP/HTTP. */
  readonly otlpUrl: string;
  readonly ready: boolean;
  /** How to reach the tables by SQL, for a person. */
  readonly sqlHint: string;
  readonly latest: readonly LatestRow[] | undefined;
}

export interface LatestRow {
  readonly received_at: Date;
  readonly service_name: string;
  readonly name: string;
  readonly trace_id: string;
  readonly status_code: number;
  readonly model_name: string | null;
  readonly tokens_total: string | null;
  readonly generation_status: string | null;
}

/** A curl that sends one real GenAI span with fresh ids and the current time; it runs in any POSIX shell. */
export const exampleCurl = (
  otlpUrl: string,
): string => `curl -sS ${otlpUrl}/v1/traces -H 'Content-Type: application/json' -d '{"resourceSpans":[{
  "resource":{"attributes":[{"key":"service.name","value":{"stringValue":"hello"}}]},
  "scopeSpans":[{"spans":[{
    "traceId":"'$(od -An -N16 -tx1 /dev/urandom | tr -d ' \\n')'","spanId":"'$(od -An -N8 -tx1 /dev/urandom | tr -d ' \\n')'",
    "name":"chat gpt-4o-mini","kind":3,
    "startTimeUnixNano":"'$(date +%s)'000000000","endTimeUnixNano":"'$(date +%s)'500000000",
    "attributes":[
      {"key":"gen_ai.operation.name","value":{"stringValue":"chat"}},
      {"key":"gen_ai.provider.name","value":{"stringValue":"openai"}},
      {"key":"gen_ai.request.model","value":{"stringValue":"gpt-4o-mini"}},
      {"key":"gen_ai.usage.input_tokens","value":{"intValue":"12"}},
      {"key":"gen_ai.usage.output_tokens","value":{"intValue":"7"}},
      {"key":"gen_ai.input.messages","value":{"stringValue":"[{\\"role\\":\\"user\\",\\"parts\\":[{\\"type\\":\\"text\\",\\"content\\":\\"Say hello\\"}]}]"}},
      {"key":"gen_ai.output.messages","value":{"stringValue":"[{\\"role\\":\\"assistant\\",\\"parts\\":[{\\"type\\":\\"text\\",\\"content\\":\\"Hello!\\"}],\\"finish_reason\\":\\"stop\\"}]"}}
    ]}]}]}]}'`;

const EXAMPLE_SQL = `SELECT logged_at, model_name, tokens_prompt, tokens_completion, prompt_full_text
FROM generation_logs ORDER BY logged_at DESC LIMIT 10;`;

/** The page at `/`: where to send, how to look, what came in last. Server-rendered; nothing is loaded from elsewhere. */
export function startPage(model: StartPageModel) {
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="refresh" content="5">
<title>genspan</title>
<link rel="stylesheet" href="/start.css">
</head>
<body>
<main>
<h1>genspan <small>${model.version}</small></h1>
<p role="status" class="${model.ready ? "ok" : "bad"}">${model.ready ? "Ready: what is acknowledged is committed." : "Not ready: the database does not take writes; senders are told to come back."}</p>
<h2>Send</h2>
<p>Any OpenTelemetry application:</p>
<pre><code>OTEL_EXPORTER_OTLP_ENDPOINT=${model.otlpUrl}</code></pre>
<details><summary>One span by hand</summary><pre><code>${exampleCurl(model.otlpUrl)}</code></pre></details>
<h2>Look</h2>
<pre><code>${model.sqlHint}</code></pre>
<pre><code>${EXAMPLE_SQL}</code></pre>
<h2>Arrived last</h2>
${latestTable(model.latest)}
<footer><a href="/healthz">health</a> <a href="/readyz">readiness</a> <a href="/metrics">metrics</a></footer>
</main>
</body>
</html>`;
}

function latestTable(rows: StartPageModel["latest"]) {
  if (rows === undefined) return html`<p>The database does not answer at the moment.</p>`;
  if (rows.length === 0) return html`<p>Nothing yet. This page looks again every five seconds.</p>`;
  return html`<div class="scroll" tabindex="0" role="region" aria-label="Spans that arrived last"><table>
<thead><tr><th scope="col">Received</th><th scope="col">Service</th><th scope="col">Span</th><th scope="col">Model</th><th scope="col" class="number">Tokens</th><th scope="col">Status</th><th scope="col">Trace</th></tr></thead>
<tbody>${rows.map(
    (row) => html`<tr>
<td><time datetime="${row.received_at.toISOString()}">${row.received_at.toISOString().slice(11, 19)} UTC</time></td>
<td><bdi>${row.service_name}</bdi></td><td><bdi>${row.name}</bdi></td><td><bdi>${row.model_name ?? "–"}</bdi></td>
<td class="number">${row.tokens_total ?? "–"}</td><td>${row.generation_status ?? (row.status_code === 2 ? "error" : "–")}</td><td><code>${row.trace_id}</code></td></tr>`,
  )}</tbody></table></div>`;
}

export const START_CSS = `:root{color-scheme:light dark;font:16px/1.5 system-ui,sans-serif}
body{margin:0;background:light-dark(#fff,#14161a);color:light-dark(#1b1f24,#e6e8eb)}
main{max-width:72rem;margin:0 auto;padding:1rem}
h1 small{font-weight:400;font-size:.6em;color:light-dark(#57606a,#9aa4af)}
pre{overflow:auto;padding:.75rem;border-radius:6px;background:light-dark(#f3f4f6,#1f2329);white-space:pre-wrap;overflow-wrap:anywhere}
.ok::before{content:"● ";color:light-dark(#1a7f37,#4ac26b)}
.bad::before{content:"✕ ";color:light-dark(#b3261e,#ff8078)}
.scroll{overflow-x:auto}
table{border-collapse:collapse;width:100%;font-variant-numeric:tabular-nums}
th,td{text-align:left;padding:.35rem .6rem;border-bottom:1px solid light-dark(#d7dbe0,#343a42)}
.number{text-align:right}
a{color:light-dark(#0550ae,#79b8ff)}
footer{margin:2rem 0;display:flex;gap:1rem}
`;
