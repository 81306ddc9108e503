import { type Endpoint, endpoint } from "../scalars.ts";
import { field, section } from "../shape.ts";

const WEB: Endpoint = { host: "127.0.0.1", port: 4319 };

export const web = section({
  /** Where start page, API, health and metrics listen. */
  endpoint: field(endpoint, WEB),
});
