"""Packages of a built gotrail, for scripts/release. Only Python's own library is used, so that nothing is to be installed.

    package.py sbom VERSION                      a CycloneDX list of the crates in the binary, to standard output
    package.py wheel VERSION ARCH FILES OUT      a wheel (PEP 427) whose one script is the binary
    package.py npm VERSION ARCH FILES OUT        two folders for `npm pack`

The same arguments and files give the same bytes.
"""

import base64
import hashlib
import json
import os
import shutil
import subprocess
import sys
import time
import zipfile

ABOUT = "A terminal viewer for Go execution traces and the profiles taken beside them"
LICENCE = "MIT OR Apache-2.0"


def sbom(version):
    """What `cargo tree` says is built into the binary, not what is only needed for building it."""
    line = ["cargo", "tree", "--locked", "--all-features", "--edges", "normal", "--prefix", "none", "--format", "{p}|{l}"]
    tree = subprocess.run(line, check=True, capture_output=True, text=True).stdout
    crates = set()
    for row in tree.splitlines():
        package, licence = row.removesuffix(" (*)").rsplit("|", 1)
        name, number = package.split(" ")[:2]
        if name != "gotrail":
            crates.add((name, number.removeprefix("v"), licence.removesuffix(" (*)").strip()))
    components = [
        {
            "type": "library",
            "name": name,
            "version": number,
            "purl": f"pkg:cargo/{name}@{number}",
            "licenses": [{"expression": licence.replace("/", " OR ")}] if licence else [],
        }
        for name, number, licence in sorted(crates)
    ]
    about = {"type": "application", "name": "gotrail", "version": version, "purl": f"pkg:cargo/gotrail@{version}"}
    document = {"bomFormat": "CycloneDX", "specVersion": "1.5", "version": 1, "metadata": {"component": about}}
    json.dump(document | {"components": components}, sys.stdout, indent=1)
    print()


def wheel(version, arch, files, out):
    tag = f"py3-none-manylinux2014_{arch}"
    info = f"gotrail-{version}.dist-info"
    data = f"gotrail-{version}.data"
    read = lambda name: open(os.path.join(files, name), "rb").read()
    share = f"{data}/data/share"
    entries = [
        (f"{data}/scripts/gotrail", read("gotrail"), 0o755),
        (f"{share}/man/man1/gotrail.1.gz", read("gotrail.1.gz"), 0o644),
        (f"{share}/bash-completion/completions/gotrail", read("gotrail.bash"), 0o644),
        (f"{share}/zsh/site-functions/_gotrail", read("_gotrail"), 0o644),
        (f"{share}/fish/vendor_completions.d/gotrail.fish", read("gotrail.fish"), 0o644),
        (f"{info}/licenses/LICENSE-MIT", read("LICENSE-MIT"), 0o644),
        (f"{info}/licenses/LICENSE-APACHE", read("LICENSE-APACHE"), 0o644),
        (f"{info}/sboms/gotrail.cdx.json", open(os.path.join(out, f"gotrail-{version}.cdx.json"), "rb").read(), 0o644),
        (
            f"{info}/METADATA",
            f"Metadata-Version: 2.1\nName: gotrail\nVersion: {version}\nSummary: {ABOUT}\nLicense: {LICENCE}\n"
            "Description-Content-Type: text/markdown\n\n".encode() + read("README.md"),
            0o644,
        ),
        (
            f"{info}/WHEEL",
            f"Wheel-Version: 1.0\nGenerator: gotrail\nRoot-Is-Purelib: false\nTag: {tag}\n".encode(),
            0o644,
        ),
    ]
    record = f"{info}/RECORD"
    rows = []
    for name, content, _ in entries:
        digest = base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode()
        rows.append(f"{name},sha256={digest},{len(content)}\n")
    entries.append((record, ("".join(rows) + f"{record},,\n").encode(), 0o644))
    # Zip files know no time before 1980.
    when = time.gmtime(max(int(os.environ.get("SOURCE_DATE_EPOCH", "0")), 315532800))[:6]
    with zipfile.ZipFile(os.path.join(out, f"gotrail-{version}-{tag}.whl"), "w") as archive:
        for name, content, mode in entries:
            entry = zipfile.ZipInfo(name, when)
            entry.external_attr = (0o100000 | mode) << 16
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.create_system = 3
            archive.writestr(entry, content, compresslevel=9)


LAUNCHER = """#!/usr/bin/env node
"use strict";
// Starts the binary of this platform's package.
const { spawnSync } = require("child_process");
const name = `gotrail-${process.platform}-${process.arch}`;
let binary;
try {
  binary = require.resolve(`${name}/bin/gotrail`);
} catch {
  console.error(`gotrail: there is no package for this platform (${name}); build it with cargo install`);
  process.exit(1);
}
const result = spawnSync(binary, process.argv.slice(2), { stdio: "inherit" });
if (result.error) throw result.error;
process.exit(result.status === null ? 1 : result.status);
"""


def npm(version, arch, files, out):
    platform = f"gotrail-linux-{arch}"
    common = {"version": version, "description": ABOUT, "license": LICENCE}

    def folder(name, package, binary):
        path = os.path.join(out, name)
        os.makedirs(os.path.join(path, "bin"))
        with open(os.path.join(path, "package.json"), "w") as f:
            json.dump({"name": name} | common | package, f, indent=2)
            f.write("\n")
        for file in ("README.md", "LICENSE-MIT", "LICENSE-APACHE"):
            shutil.copy(os.path.join(files, file), path)
        binary(os.path.join(path, "bin"))

    def launcher(path):
        with open(os.path.join(path, "gotrail.js"), "w") as f:
            f.write(LAUNCHER)
        os.chmod(os.path.join(path, "gotrail.js"), 0o755)

    folder(platform, {"os": ["linux"], "cpu": [arch]}, lambda path: shutil.copy(os.path.join(files, "gotrail"), path))
    folder("gotrail", {"bin": {"gotrail": "bin/gotrail.js"}, "optionalDependencies": {platform: version}}, launcher)


if __name__ == "__main__":
    {"sbom": sbom, "wheel": wheel, "npm": npm}[sys.argv[1]](*sys.argv[2:])
