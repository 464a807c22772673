// Drives a server with many simulated users and reads the report.
"use strict";

const { spawn } = require("node:child_process");
const fs = require("node:fs");
const os = require("node:os");
const path = require("node:path");
const { findBinary } = require("./binary.js");
const { requestScenario } = require("./scenario.js");

/** Nothing was judged: a wrong scenario or option, or an error of the program. */
class PartywallError extends Error {
  constructor(message) {
    super(message);
    this.name = "PartywallError";
  }
}

/** The run is no pass; `report` says why. */
class NotIsolatedError extends Error {
  constructor(report) {
    super(story(report));
    this.name = "NotIsolatedError";
    this.report = report;
  }
}

const FLAGS = { users: "--users", rounds: "--rounds", seed: "--seed", timeLimit: "--time-limit" };

/** Drives a server with many simulated users at once; the report says what was seen. */
async function run(options) {
  const targets = ["command", "url"].filter((key) => options[key] !== undefined);
  if (targets.length > 1) throw new PartywallError("give `command` or `url`, not both");
  if ((options.scenario === undefined) === (options.path === undefined)) {
    throw new PartywallError("give `scenario`, or `path` and `body` of a request");
  }
  if (options.scenario === undefined && targets.length === 0) {
    throw new PartywallError("say what is driven: give `command` or `url`");
  }
  const args = ["run"];
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), "partywall-"));
  try {
    if (options.scenario === undefined) {
      const file = path.join(folder, "request.toml");
      try {
        fs.writeFileSync(file, requestScenario(options));
      } catch (error) {
        throw new PartywallError(error.message);
      }
      args.push(file);
    } else {
      args.push(options.scenario);
    }
    if (options.command !== undefined) args.push("--command", JSON.stringify(options.command));
    if (options.url !== undefined) args.push("--target", options.url);
    for (const [key, flag] of Object.entries(FLAGS)) {
      if (options[key] !== undefined) args.push(flag, String(options[key]));
    }
    return await start(args, options);
  } finally {
    fs.rmSync(folder, { recursive: true, force: true });
  }
}

async function start(args, options) {
  const reports = path.resolve(options.reportDir ?? "reports");
  const name = plain(options.name ?? "node");
  const series = path.join(reports, "runs", name);
  const earlier = new Set(folders(series));
  args.push("--report-dir", reports, "--name", name, "--report", "html");
  args.push("--color", "never", "--annotations", "none", "--until-stdin-closes");
  const { code, pid, out, errors } = await output(findBinary(), args);
  const made = folders(series).filter((folder) => !earlier.has(folder));
  const own = made.find((folder) => isOf(pid, path.join(series, folder)));
  const json = own && path.join(series, own, "report.json");
  if (code === 2 || code === 3 || !json || !fs.existsSync(json)) {
    throw new PartywallError(errors.trim() || `partywall ended with ${code} and no report`);
  }
  return readReport(path.join(series, own), out);
}

function output(binary, args) {
  return new Promise((resolve, reject) => {
    // Its input stays open as long as this process lives, and the program ends with it.
    const child = spawn(binary, args, { stdio: ["pipe", "pipe", "pipe"] });
    child.stdin.on("error", () => {});
    // A test run that ends early ends the program, which ends the server.
    const end = () => child.kill("SIGTERM");
    process.once("exit", end);
    const texts = { out: "", errors: "" };
    child.stdout.setEncoding("utf8").on("data", (text) => (texts.out += text));
    child.stderr.setEncoding("utf8").on("data", (text) => (texts.errors += text));
    child.on("error", reject);
    child.on("close", (code) => {
      process.off("exit", end);
      resolve({ code, pid: child.pid, ...texts });
    });
  });
}

/** Whether that process made the run folder: another test run may write beside it. */
function isOf(pid, folder) {
  try {
    return JSON.parse(fs.readFileSync(path.join(folder, "campaign.json"), "utf8")).process === pid;
  } catch {
    return false;
  }
}

function folders(series) {
  if (!fs.existsSync(series)) return [];
  const entries = fs.readdirSync(series, { withFileTypes: true });
  return entries.filter((entry) => entry.isDirectory()).map((entry) => entry.name);
}

/** The name with what may stand in the name of a run folder. */
function plain(name) {
  const text = name.replace(/[^A-Za-z0-9_.-]+/g, "-").replace(/^[-.]+|[-.]+$/g, "");
  return text.slice(-100).replace(/^[-.]+/, "") || "node";
}

function readReport(folder, text) {
  const data = JSON.parse(fs.readFileSync(path.join(folder, "report.json"), "utf8"));
  const finding = (found) => ({
    oracle: found.oracle,
    kind: found.kind,
    victim: found.victim,
    observer: found.observer,
    summary: found.summary,
    fingerprint: found.fingerprint,
    reproduceWith: found.reproduce_with ?? undefined,
  });
  return {
    verdict: data.verdict,
    exitCode: data.exit_code,
    reasons: data.reasons.map((reason) => reason.text),
    findings: (data.levels ?? []).flatMap((level) => (level.findings ?? []).map(finding)),
    text,
    folder,
    json: path.join(folder, "report.json"),
    html: path.join(folder, "report.html"),
    data,
  };
}

/** The report and where it is. */
function story(report) {
  return `${report.text.trim()}\n\npage: ${report.html}\nrecord: ${report.json}`;
}

/** Throws where the run is no pass. */
function assertIsolated(report) {
  if (report.verdict !== "clean") throw new NotIsolatedError(report);
}

module.exports = { run, assertIsolated, story, findBinary, PartywallError, NotIsolatedError };
