// A chat that answers with the message of whoever came last (`leaky`), or with the user's own.
"use strict";

const http = require("node:http");

const [port, kind] = process.argv.slice(2);
let last = "";
const server = http.createServer(async (request, response) => {
  let body = "";
  for await (const part of request) body += part;
  const mine = body === "" ? "" : JSON.parse(body).message;
  last = mine;
  await new Promise((done) => setTimeout(done, 50));
  response.setHeader("content-type", "application/json");
  response.end(JSON.stringify({ answer: `you said ${kind === "leaky" ? last : mine}` }));
});
server.listen(Number(port), "127.0.0.1");
