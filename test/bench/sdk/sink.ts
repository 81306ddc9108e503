// A collector that only answers: takes what is posted and counts it, in a process of its own.
import { createServer } from "node:http";

let bytes = 0;
let requests = 0;

const server = createServer((request, response) => {
  request.on("data", (chunk: Buffer) => {
    bytes += chunk.length;
  });
  request.on("end", () => {
    requests++;
    response.setHeader("content-type", "application/json");
    response.end("{}");
  });
});

process.on("message", () => process.send?.({ bytes, requests }));
server.listen(0, "127.0.0.1", () => {
  const address = server.address();
  process.send?.({ port: typeof address === "object" ? address?.port : undefined });
});
