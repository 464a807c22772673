// Builds the packages to publish: one for each given program, and `partywall` itself.
//
//     node build.mjs --out DIR linux-x64=target/dist/partywall [darwin-arm64=…]
//
// Each is a tarball in DIR. The version is that of Cargo.toml.
import { execFileSync } from "node:child_process";
import fs from "node:fs";
import { createRequire } from "node:module";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";

const here = path.dirname(fileURLToPath(import.meta.url));
const { PLATFORMS } = createRequire(import.meta.url)("./partywall/lib/binary.js");
const { values, positionals } = parseArgs({
  options: { out: { type: "string", default: "dist" } },
  allowPositionals: true,
});
const cargo = fs.readFileSync(path.join(here, "../../Cargo.toml"), "utf8");
const version = /\[workspace\.package\]\s+version = "([^"]+)"/.exec(cargo)?.[1];
if (!version) throw new Error("Cargo.toml names no version in [workspace.package]");

const out = path.resolve(values.out);
const work = path.join(out, "packages");
fs.rmSync(work, { recursive: true, force: true });
fs.mkdirSync(work, { recursive: true });

function pack(folder, description) {
  fs.writeFileSync(path.join(folder, "package.json"), `${JSON.stringify(description, null, 2)}\n`);
  for (const license of ["LICENSE-MIT", "LICENSE-APACHE"]) {
    fs.copyFileSync(path.join(here, "../..", license), path.join(folder, license));
  }
  execFileSync("npm", ["pack", "--silent", "--pack-destination", out], { cwd: folder });
  console.log(`${description.name} ${version}`);
}

for (const given of positionals) {
  const [platform, binary] = given.split("=");
  if (!PLATFORMS.includes(platform) || !binary) {
    throw new Error(`${given}: write PLATFORM=FILE with one of ${PLATFORMS.join(", ")}`);
  }
  const [system, processor] = platform.split("-");
  const folder = path.join(work, platform);
  fs.mkdirSync(path.join(folder, "bin"), { recursive: true });
  const file = path.join(folder, "bin", system === "win32" ? "partywall.exe" : "partywall");
  fs.copyFileSync(binary, file);
  fs.chmodSync(file, 0o755);
  pack(folder, {
    name: `@partywall/${platform}`,
    version,
    description: `The program partywall for ${platform}`,
    license: "MIT OR Apache-2.0",
    os: [system],
    cpu: [processor],
    files: ["bin"],
    preferUnplugged: true,
  });
}

const folder = path.join(work, "partywall");
fs.cpSync(path.join(here, "partywall"), folder, { recursive: true });
const own = JSON.parse(fs.readFileSync(path.join(here, "partywall/package.json"), "utf8"));
own.version = version;
// Those that are built with it.
own.optionalDependencies = Object.fromEntries(
  positionals.map((given) => [`@partywall/${given.split("=")[0]}`, version]),
);
pack(folder, own);
