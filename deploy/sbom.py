#!/usr/bin/env python3
"""What the server is built of: a software bill of materials (CycloneDX 1.6, JSON), on standard output.

    deploy/sbom.py [TARGET] > authsome.cdx.json     # TARGET: x86_64-unknown-linux-gnu

Every crate that is compiled into the server or runs while it is built, as cargo resolves them for TARGET,
with its licence, the checksum that Cargo.lock pins and what it depends on; nothing that only tests need. Packages of
this repository are the server. The same sources give the same document.
"""
import json
import subprocess
import sys
import tomllib
import uuid
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def cargo(*arguments):
    command = ["cargo", arguments[0], "--locked", *arguments[1:]]
    return subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True).stdout


def compiled(target):
    """Names and versions. `cargo metadata` has all that some feature of a test's dependency switches on as well."""
    lines = cargo("tree", f"--target={target}", "--edges=normal,build", "--prefix=none", "--format={p}").splitlines()
    words = (line.split() for line in lines if line)
    return {(name, version.removeprefix("v")) for name, version, *_ in words}


def needs(node):
    """What a package needs to be built and to run: what only its tests need has the kind `dev` alone."""
    return [it["pkg"] for it in node["deps"] if any(kind["kind"] != "dev" for kind in it["dep_kinds"])]


def reference(package):
    return f"pkg:cargo/{package['name']}@{package['version']}"


def component(package, checksums):
    told = {
        "type": "library",
        "bom-ref": reference(package),
        "name": package["name"],
        "version": package["version"],
        "description": (package["description"] or "").strip(),
        "purl": reference(package),
    }
    if package["license"]:
        # Crates older than SPDX expressions write `MIT/Apache-2.0`.
        told["licenses"] = [{"expression": package["license"].replace("/", " OR ")}]
    if checksum := checksums.get((package["name"], package["version"])):
        told["hashes"] = [{"alg": "SHA-256", "content": checksum}]
    if package["repository"]:
        told["externalReferences"] = [{"type": "vcs", "url": package["repository"]}]
    return told


def bill(target):
    read = json.loads(cargo("metadata", "--format-version=1", f"--filter-platform={target}"))
    inside = compiled(target)
    packages = {it["id"]: it for it in read["packages"] if (it["name"], it["version"]) in inside}
    nodes = {it["id"]: it for it in read["resolve"]["nodes"]}
    lock = tomllib.loads((ROOT / "Cargo.lock").read_text())
    checksums = {(it["name"], it["version"]): it.get("checksum") for it in lock["package"]}
    root, ours = read["resolve"]["root"], set(read["workspace_members"])
    ordered = sorted(packages.keys() - ours, key=lambda it: reference(packages[it]))
    components = [component(packages[it], checksums) for it in ordered]
    needed = {it: needs(nodes[it]) for it in ordered} | {root: [to for it in ours for to in needs(nodes[it])]}
    edges = [
        {
            "ref": reference(packages[it]),
            "dependsOn": sorted({reference(packages[to]) for to in needed[it] if to in packages and to not in ours}),
        }
        for it in [root, *ordered]
    ]
    server = component(packages[root], checksums) | {"type": "application"}
    serial = uuid.uuid5(uuid.NAMESPACE_URL, json.dumps([target, server, components, edges]))
    return {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "serialNumber": f"urn:uuid:{serial}",
        "version": 1,
        "metadata": {"component": server, "properties": [{"name": "cargo:target", "value": target}]},
        "components": components,
        "dependencies": edges,
    }


if __name__ == "__main__":
    print(json.dumps(bill(*(sys.argv[1:] or ["x86_64-unknown-linux-gnu"])), indent=2, ensure_ascii=False))
