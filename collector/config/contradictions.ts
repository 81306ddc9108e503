import type { Config } from "./index.ts";
import { type ListeningAddress, listeningAddresses, usedExporters } from "./questions.ts";

/** What cannot all hold, although each component is sound by itself: only of components that run. */
export const contradictions = (config: Config): string[] => [...twoDatabases(config), ...twoWebs(config), ...sharedAddresses(config)];

/** There is one database: of two sets of options for it one would be ignored in silence. */
function twoDatabases(config: Config): string[] {
  const [first, ...others] = usedExporters(config).filter(([, { type }]) => type === "postgres");
  if (first === undefined) return [];
  return others.flatMap(([id, other]) => {
    const options = new Map(Object.entries(first[1].options));
    const differing = Object.entries(other.options).flatMap(([key, value]) => (options.get(key) === value ? [] : [key]));
    if (differing.length === 0) return [];
    return [
      `service::pipelines: exporters "${first[0]}" and "${id}" differ in ${differing.join(", ")} and write to the same database; give both the same options, or use one of them`,
    ];
  });
}

function twoWebs({ extensions, service }: Config): string[] {
  const [first, ...others] = new Set(service.extensions.filter((id) => extensions.get(id)?.type === "web"));
  return others.map((id) => `service::extensions: references "${first}" and "${id}"; one extension of the type "web" is supported`);
}

/** Two servers on one port: the second would find it "in use by another program". Addresses are not shown, since they may come from the environment. */
function sharedAddresses(config: Config): string[] {
  const fixed = listeningAddresses(config).filter(({ endpoint }) => endpoint.port !== 0);
  return fixed.flatMap((address, i) => {
    const owner = fixed.slice(0, i).find((other) => collide(other, address));
    if (owner === undefined) return [];
    const where = isSameHost(owner, address) ? "on the same address" : "on the same port, one of them on every address";
    return [`${owner.key} and ${address.key}: both listen ${where}; give one of them another port`];
  });
}

type Listener = Pick<ListeningAddress, "endpoint">;

const hostOf = ({ endpoint }: Listener): string => (endpoint.host === "localhost" ? "127.0.0.1" : endpoint.host.toLowerCase());
const isSameHost = (a: Listener, b: Listener): boolean => hostOf(a) === hostOf(b);

/** Whether listening on `host` takes the port on every address of `other`'s kind; "::" takes it on those of IPv4, too. */
const covers = (host: string, other: string): boolean => host === "::" || (host === "0.0.0.0" && !(other.includes(":") && other !== "::"));

function collide(a: Listener, b: Listener): boolean {
  if (a.endpoint.port !== b.endpoint.port) return false;
  return isSameHost(a, b) || covers(hostOf(a), hostOf(b)) || covers(hostOf(b), hostOf(a));
}
