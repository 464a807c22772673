// A scenario for one request, where there is no file.
"use strict";

const HEADERS = { authorization: "Bearer key-of-{{ user }}", "x-user-id": "{{ user }}" };

function requestScenario(options) {
  const { path, method = "POST", body = {}, answer = "json", headers = HEADERS } = options;
  if (answer !== "json" && answer !== "stream") {
    throw new Error(`answer is ${JSON.stringify(answer)}; use "json" or "stream"`);
  }
  if (!(JSON.stringify(body) + path).includes("{{ prompt }}")) {
    throw new Error("the request says nothing of its own: put {{ prompt }} into `body`");
  }
  const start = { by: "http", method, path, answer };
  if (Object.keys(body).length > 0) start.json = body;
  const tables = {
    identity: { headers },
    start,
    workload: { users: 20, runs_per_user: 2, rounds: 4 },
  };
  const lines = ["version = 1", 'name = "request"', 'title = "One request of many users"'];
  for (const [table, content] of Object.entries(tables)) {
    lines.push(`[${table}]`);
    for (const [key, value] of Object.entries(content)) lines.push(`${text(key)} = ${toml(value)}`);
  }
  return `${lines.join("\n")}\n`;
}

/** The value as TOML on one line. */
function toml(value) {
  if (typeof value === "string") return text(value);
  if (typeof value === "boolean" || (typeof value === "number" && Number.isFinite(value))) {
    return String(value);
  }
  if (Array.isArray(value)) return `[${value.map(toml).join(", ")}]`;
  if (typeof value === "object" && value !== null) {
    const pairs = Object.entries(value).filter(([, own]) => own !== undefined);
    return `{ ${pairs.map(([key, own]) => `${text(key)} = ${toml(own)}`).join(", ")} }`;
  }
  throw new Error(`a scenario cannot hold ${String(value)}; use text, numbers, arrays and objects`);
}

// JSON's escapes are TOML's, but for DEL.
const text = (value) => JSON.stringify(value).replaceAll("\x7f", "\\u007f");

module.exports = { requestScenario, toml };
