"""What deploy/ holds, judged by the tools of those who will run it; what it says of the server, by the server.

    deploy.py CHECK AUTHSOME

A check is a function below; AUTHSOME is the binary, which is run in the working directory. The first thing that is
wrong ends it, with a sentence.
"""
import contextlib
import fnmatch
import json
import os
import re
import shutil
import socket
import sqlite3
import subprocess
import sys
import sysconfig
import time
import tomllib
import urllib.request
from pathlib import Path

import pymongo
import pymongo.errors
import yaml
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

ROOT = Path(__file__).resolve().parents[2]
DEPLOY = ROOT / "deploy"
# Where pip puts the programs of packages that it installs into a folder.
TOOLS = f"{sysconfig.get_path('purelib')}/bin:{os.environ['PATH']}"
AUTHSOME = sys.argv[2]
# The secrets of every installation.
NEEDED = ("encryption_key", "refresh_secret", "pepper")


def ran(*command, **variables):
    """The command, run to its end with these settings of the server only."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("AUTHSOME_")}
    environment = inherited | {"PATH": TOOLS} | variables
    return subprocess.run([str(it) for it in command], env=environment, capture_output=True, text=True)


def passes(*command, silent=False, **variables):
    """What it says, once it has succeeded; `silent`: and had nothing to remark."""
    done = ran(*command, **variables)
    told = done.stdout + done.stderr
    assert done.returncode == 0 and not (silent and told), f"{command}: {done.returncode}\n{told}"
    return done.stdout


def documents(*files):
    return [it for file in files for it in yaml.safe_load_all(file.read_text()) if it]


def manifests():
    return sorted(it for it in (DEPLOY / "kubernetes").glob("*.yaml") if it.name != "kustomization.yaml")


def defaults():
    """The default of each setting, by its variable."""
    rows = (line.split(" | ") for line in passes(AUTHSOME, "config").splitlines()[2:])
    return {row[0].split("`")[1]: row[1].strip("`") for row in rows}


def seconds(text):
    return int(text.removesuffix("s"))


def stops_within(patience):
    """A node that is told to stop is given longer than it asks for."""
    known = defaults()
    asked = seconds(known["AUTHSOME_SERVER__STOP_DELAY"]) + seconds(known["AUTHSOME_SERVER__SHUTDOWN_TIMEOUT"])
    assert patience > asked, f"killed after {patience} s, but it may take {asked} s to stop"


def is_usable(settings):
    """The server takes these settings: a health check fails, as nobody serves, and not for what it was told (2)."""
    done = ran(AUTHSOME, "healthcheck", **settings)
    assert done.returncode == 1 and "does not answer" in done.stderr, f"{settings}\n{done.stderr}"


def secrets_of_compose(folder):
    passes("bash", DEPLOY / "compose/secrets.sh", folder)
    return {it.name: it for it in folder.iterdir()}


def image():
    file = DEPLOY / "Dockerfile"
    passes("hadolint", file, silent=True)
    text = file.read_text()
    package = tomllib.loads((ROOT / "Cargo.toml").read_text())["package"]
    assert f"FROM rust:{package['rust-version']}-" in text, "the image is built by another Rust than the project's"
    copied = [word for line in re.findall(r"^COPY (?!--)(.+) \S+$", text, re.M) for word in line.split()]
    admitted = [line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")]
    assert sorted(copied) == sorted(admitted), f"{copied} are copied, and {admitted} reach the builder"
    sources = [it.read_text() for it in (ROOT / "src").rglob("*.rs")]
    included = [it for text in sources for it in re.findall(r'include_\w+!\("([^"]+)"', text)]
    outside = {it.replace("../", "").split("/")[0] for it in included if it.startswith("../../")}
    assert outside <= set(copied), f"the sources read {outside}"
    is_usable({"AUTHSOME_SERVER__BIND": f"0.0.0.0:{free_port()}"})


def cluster():
    file = DEPLOY / "compose/compose.yaml"
    passes(sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.compose-spec", file)
    caddy = {"XDG_DATA_HOME": os.getcwd(), "XDG_CONFIG_HOME": os.getcwd()}
    passes("caddy", "validate", "--adapter", "caddyfile", "--config", DEPLOY / "compose/Caddyfile", **caddy)
    passes("caddy", "fmt", DEPLOY / "compose/Caddyfile", **caddy)
    compose = documents(file)[0]
    made = secrets_of_compose(Path("secrets"))
    named = {name: Path(it["file"]).name for name, it in compose["secrets"].items()}
    assert all(name == file for name, file in named.items()) and set(named) == set(made), (named, made)
    again = {name: it.read_text() for name, it in made.items()}
    assert again == {name: it.read_text() for name, it in secrets_of_compose(Path("secrets")).items()}, "made anew"
    for name in ("node1", "node2", "bootstrap"):
        node = compose["services"][name]
        assert node["read_only"] and node["cap_drop"] == ["ALL"], name
        stops_within(seconds(node["stop_grace_period"]))
        settings = node["environment"]
        mounted = {f"/run/secrets/{it}": str(made[it].resolve()) for it in node["secrets"]}
        is_usable({key: mounted.get(value, value) for key, value in settings.items()} | nowhere())
    proxy = compose["services"]["proxy"]["networks"]["inside"]["ipv4_address"]
    assert settings["AUTHSOME_SERVER__TRUSTED_PROXIES"] == proxy, "another proxy is trusted"


def pods():
    passes(sys.executable, "-m", "kubernetes_validate", "--strict", "--quiet", *manifests())
    kustomization = documents(DEPLOY / "kubernetes/kustomization.yaml")[0]
    once = {"bootstrap.yaml", "secret.example.yaml"}
    assert set(kustomization["resources"]) == {it.name for it in manifests()} - once, "another list of files"
    found = {(it["kind"], it["metadata"]["name"]): it for it in documents(*manifests())}
    deployment, job = found["Deployment", "authsome"], found["Job", "authsome-bootstrap"]
    pod = deployment["spec"]["template"]["spec"]
    stops_within(pod["terminationGracePeriodSeconds"])
    for spec in (pod, job["spec"]["template"]["spec"]):
        is_restricted(spec)
    container = pod["containers"][0]
    served = json.loads((ROOT / "openapi/authsome.json").read_text())["paths"]
    probes = {name: container[name]["httpGet"]["path"] for name in ("startupProbe", "livenessProbe", "readinessProbe")}
    assert set(probes.values()) <= set(served) and probes["readinessProbe"] == "/readyz", probes
    assert probes["livenessProbe"] == "/livez", "an outage of the database would restart every node"
    settings = found["ConfigMap", "authsome"]["data"]
    ports = {it["name"]: it["containerPort"] for it in container["ports"]}
    assert settings["AUTHSOME_SERVER__BIND"].endswith(f":{ports['http']}"), ports
    assert settings["AUTHSOME_METRICS__BIND"].endswith(f":{ports['metrics']}"), ports
    labels = deployment["spec"]["template"]["metadata"]["labels"].items()
    for kind in ("Service", "PodDisruptionBudget", "NetworkPolicy"):
        spec = found[kind, "authsome"]["spec"]
        chosen = spec.get("podSelector", spec.get("selector"))
        assert chosen.get("matchLabels", chosen).items() <= labels, f"{kind} chooses other pods"
    takes_secrets(settings, found["Secret", "authsome"]["stringData"])


def is_restricted(spec):
    """What the profile `restricted` of Kubernetes asks of a pod, and a root file system that nobody writes to."""
    whole, container = spec["securityContext"], spec["containers"][0]["securityContext"]
    assert whole["runAsNonRoot"] and whole["seccompProfile"] == {"type": "RuntimeDefault"}, whole
    assert container["allowPrivilegeEscalation"] is False and container["readOnlyRootFilesystem"], container
    assert container["capabilities"] == {"drop": ["ALL"]} and not spec["automountServiceAccountToken"], container


def takes_secrets(settings, examples):
    """The settings are good with secrets that are, and with the examples they are refused by name."""
    folder = Path("secrets")
    made = secrets_of_compose(folder)
    made["mail_url"] = folder / "mail_url"
    made["mail_url"].write_text("smtp://user:password@mail.example.com:587?tls=required\n")
    files = {key: value for key, value in settings.items() if key.endswith("_FILE")}
    assert {value.rsplit("/")[-1] for value in files.values()} == set(examples), "other secrets than are asked for"
    real = {key: str(made[value.rsplit("/")[-1]].resolve()) for key, value in files.items()}
    is_usable(settings | real | nowhere())
    for name in NEEDED:
        made[name].unlink()
        made[name].write_text(examples[name])
    done = ran(AUTHSOME, "healthcheck", **(settings | real | nowhere()))
    assert done.returncode == 2 and done.stderr.count("it is an example, which everybody knows") == 3, done.stderr


def nowhere():
    """An address at which nobody listens."""
    return {"AUTHSOME_SERVER__BIND": f"127.0.0.1:{free_port()}"}


def free_port():
    with contextlib.closing(socket.socket()) as it:
        it.bind(("127.0.0.1", 0))
        return it.getsockname()[1]


def database():
    """A start, the doctor and the change stream need the rights that mongo-init.js gives, and no others."""
    rights = re.search(r"roles: (\[.+?\])", (DEPLOY / "compose/mongo-init.js").read_text())[1]
    rights = json.loads(re.sub(r"(\w+):", r'"\1":', rights))
    made, port = secrets_of_compose(Path("secrets")), free_port()
    made["mongo_set_key"].chmod(0o400)
    Path("db").mkdir()
    options = ("--port", port, "--bind_ip", "127.0.0.1", "--nounixsocket", "--wiredTigerCacheSizeGB", "0.3")
    key = ("--replSet", "rs0", "--keyFile", made["mongo_set_key"], "--dbpath", "db", "--logpath", "mongod.log")
    with running(os.environ["MONGOD"], *options, *key) as mongod:
        # Whoever is on its machine may make the first user (MongoDB manual, "Localhost Exception").
        admin = pymongo.MongoClient("127.0.0.1", port, directConnection=True).admin
        members = [{"_id": 0, "host": f"127.0.0.1:{port}"}]
        eventually(mongod, lambda: admin.command("replSetInitiate", {"_id": "rs0", "members": members}))
        eventually(mongod, lambda: admin.command("createUser", "root", pwd="root", roles=["root"]))
        root = pymongo.MongoClient("127.0.0.1", port, directConnection=True, username="root", password="root")
        root.authsome.command("createUser", "authsome", pwd=made["mongo_password"].read_text().strip(), roles=rights)
        settings = {f"AUTHSOME_SECURITY__{it.upper()}_FILE": str(made[it]) for it in NEEDED}
        url = made["store_url"].read_text().strip()
        settings["AUTHSOME_STORE__URL"] = url.replace("mongo:27017", f"127.0.0.1:{port}")
        passes(AUTHSOME, "bootstrap", "--json", **settings, AUTHSOME_SECURITY__BCRYPT_COST="10")
        passes(AUTHSOME, "doctor", **settings)
        assert "\nauthsome_store_up 1\n" in metrics(**settings)
        # Where it may not follow, the server asks instead, and nobody would notice.
        pymongo.MongoClient(settings["AUTHSOME_STORE__URL"]).authsome.authsome_revocations.watch().close()


def unit():
    """With the drop-in beside it, and where the binary is that systemd would look for."""
    text = (DEPLOY / "authsome.service").read_text()
    file = Path("authsome.service")
    file.write_text(text.replace("/usr/local/bin/authsome", AUTHSOME))
    shutil.copytree(DEPLOY / "authsome.service.d", "authsome.service.d")
    passes("systemd-analyze", "verify", "--man=no", file.resolve(), silent=True)
    # Of 100, where 100 is no protection at all.
    passes("systemd-analyze", "security", "--offline=true", "--threshold=20", file.resolve())
    stops_within(seconds(re.search(r"^TimeoutStopSec=(\w+)$", text, re.M)[1]))
    drop_in = Path("authsome.service.d/mongodb.conf").read_text()
    credentials = re.findall(r"^LoadCredential=(\w+):", drop_in, re.M)
    told = re.findall(r"^Environment=(\w+)_FILE=%d/(\w+)$", drop_in, re.M)
    assert [name for _, name in told] == credentials, (told, credentials)
    assert {name for name, _ in told} <= set(defaults()), told
    runs_beside(text)


def runs_beside(unit):
    """Another command is run as the server is: by the user who is called like the unit, where it keeps what it writes."""
    shown = (DEPLOY / "README.md").read_text()
    line = re.search(r"^# systemd-run ((?:.+\\\n)*.+)$", shown, re.M)[1]
    own = r"^((?:EnvironmentFile|DynamicUser|StateDirectory|StateDirectoryMode|WorkingDirectory|UMask)=.+)$"
    given = set(re.findall(r"--property=(\S+)", line))
    assert given == {"User=authsome", *re.findall(own, unit, re.M)}, given
    command = re.search(r"^ExecStart=(.+) serve$", unit, re.M)[1]
    assert f" {command} doctor" in line, line
    name = re.search(r"--unit=(\S+)", line)[1]
    assert f"/etc/systemd/system/{name}.service.d deploy/authsome.service.d/mongodb.conf\n" in shown, name


@contextlib.contextmanager
def running(*command, **environment):
    """A process that writes into a file of its own, and is killed in the end."""
    with open(f"{Path(command[0]).name}.out", "wb") as log:
        process = subprocess.Popen([str(it) for it in command], env=environment, stdout=log, stderr=log)
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def eventually(process, ask):
    """What is answered, once there is an answer."""
    for _ in range(600):
        with contextlib.suppress(OSError, pymongo.errors.PyMongoError):
            return ask()
        assert process.poll() is None, said(process)
        time.sleep(0.1)
    raise TimeoutError(said(process))


def said(process):
    return Path(f"{Path(process.args[0]).name}.out").read_text()


def metrics(**settings):
    """The page of a server that has just started."""
    serving, telling = free_port(), free_port()
    settings |= {
        "AUTHSOME_SERVER__BIND": f"127.0.0.1:{serving}",
        "AUTHSOME_METRICS__BIND": f"127.0.0.1:{telling}",
        "AUTHSOME_SECURITY__BCRYPT_COST": "10",
    }
    with running(AUTHSOME, "serve", **settings) as server:
        eventually(server, lambda: urllib.request.urlopen(f"http://127.0.0.1:{serving}/readyz", timeout=5).close())
        return urllib.request.urlopen(f"http://127.0.0.1:{telling}/metrics", timeout=10).read().decode()


def expressions():
    """Every question that is asked of Prometheus: of each panel, of what it chooses from, and of each alert."""
    dashboard = json.loads((DEPLOY / "dashboard.json").read_text())
    chosen = [it["definition"] for it in dashboard["templating"]["list"] if it["type"] == "query"]
    asked = [it["expr"] for panel in dashboard["panels"] for it in panel.get("targets", [])]
    asked += [re.fullmatch(r"label_values\((.+), \w+\)", it)[1] for it in chosen]
    rules = [rule["expr"] for group in documents(DEPLOY / "alerts.yml")[0]["groups"] for rule in group["rules"]]
    filled = re.compile(r"\$(?:job|instance)")
    return [filled.sub(".*", it.replace("$__rate_interval", "1m")) for it in asked] + rules


def watching():
    promtool = os.environ["E2E_PROMTOOL"]
    passes(promtool, "check", "rules", DEPLOY / "alerts.yml")
    passes(promtool, "check", "config", DEPLOY / "prometheus.yml")
    rules = [{"record": f"question_{at}", "expr": it} for at, it in enumerate(expressions())]
    Path("questions.yml").write_text(yaml.safe_dump({"groups": [{"name": "questions", "rules": rules}]}))
    passes(promtool, "check", "rules", "questions.yml")
    told = dict(re.findall(r"^# TYPE (\w+) (\w+)$", metrics(), re.M))
    histograms = [name for name, kind in told.items() if kind == "histogram"]
    of_histograms = {name + of for name in histograms for of in ("_bucket", "_sum", "_count")}
    names = re.compile(r"\b(?:authsome|process)_\w+")
    asked = {name for it in expressions() for name in names.findall(it)}
    assert asked <= set(told) | of_histograms, f"nobody tells {asked - set(told) - of_histograms}"
    drawn = {next((of for of in told if it.startswith(of + "_")), it) for it in asked} | asked
    assert set(told) - drawn <= {"process_start_time_seconds"}, f"nobody looks at {set(told) - drawn}"
    document = json.loads((ROOT / "openapi/authsome.json").read_text())
    operations = {it.get("operationId") for path in document["paths"].values() for it in path.values()}
    assert {name for it in expressions() for name in re.findall(r'operation="([^"]+)"', it)} <= operations
    panels_have_room()


def panels_have_room():
    panels = json.loads((DEPLOY / "dashboard.json").read_text())["panels"]
    assert len({it["id"] for it in panels}) == len(panels), "two panels of one identifier"
    taken = set()
    for panel in panels:
        at = panel["gridPos"]
        cells = {(x, y) for x in range(at["x"], at["x"] + at["w"]) for y in range(at["y"], at["y"] + at["h"])}
        assert not cells & taken and at["x"] + at["w"] <= 24, f"{panel['title']} lies over another panel"
        taken |= cells


def sharding():
    """Every collection has a row, and each unique index in it begins with the shard key, where there is one."""
    passes(AUTHSOME, "migrate")
    store = sqlite3.connect("authsome-data/authsome.db")
    rows = store.execute("SELECT tbl_name, name, sql FROM sqlite_master WHERE sql IS NOT NULL").fetchall()
    text = (DEPLOY / "sharding.md").read_text()
    table = re.findall(r"^\| `(authsome_\w+)` \| ([^|]+) \|([^|]*)\|", text, re.M)
    written = {name: (key.strip(), set(re.findall(r"`(\w+)`", unique))) for name, key, unique in table}
    there = {table for table, name, _ in rows if table == name} - {"authsome_migrations", "authsome_schema"}
    assert set(written) == there, f"of either only: {set(written) ^ there}"
    indexes = {}
    for collection, name, sql in rows:
        if found := re.match(r"CREATE (UNIQUE )?INDEX \w+ ON \w+ \(([^)]+)\)(.*)", sql):
            fields = [it.strip().removeprefix("f_").replace("__", ".") for it in found[2].split(",")]
            indexes.setdefault(collection, {})[name] = (bool(found[1]), fields, bool(found[3]))
    for collection, (key, unique) in written.items():
        declared = indexes.get(collection, {})
        assert unique == {name for name, it in declared.items() if it[0]}, f"{collection} has other unique indexes"
        if key in ("–", "`_id`"):
            continue
        fields = key.strip("`").split(", ")
        leads = {name: it[1][: len(fields)] == fields for name, it in declared.items()}
        assert all(leads[name] for name in unique), f"{key} begins not all of {unique}"
        assert any(leads[name] and not it[2] for name, it in declared.items()), f"no index of {collection} is for {key}"


def supply():
    deny = ("cargo-deny", "--manifest-path", ROOT / "Cargo.toml", "--config", ROOT / ".deny.toml", "--locked")
    # Unknown licences, other registries and second versions are errors; an exception that nobody needs is a warning.
    done = ran(*deny, "check", "--deny", "warnings", "bans", "licenses", "sources")
    assert done.returncode == 0, done.stderr
    bill = passes(sys.executable, DEPLOY / "sbom.py")
    assert (flaw := JsonStrictValidator(SchemaVersion.V1_6).validate_str(bill)) is None, flaw
    parts = json.loads(bill)["components"]
    assert all(it.get("licenses") and it.get("hashes") for it in parts), "a part without licence or checksum"
    names = {it["name"] for it in parts}
    assert {"actix-web", "mongodb", "rusqlite", "aws-lc-sys"} <= names and "tempfile" not in names, names
    needed = tomllib.loads((ROOT / "Cargo.toml").read_text())["dependencies"]
    elsewhere = {name for name, it in needed.items() if "path" not in it}
    assert elsewhere <= names, elsewhere - names


def yaml_files():
    rules = "{extends: default, rules: {line-length: {max: 120}, document-start: disable, octal-values: disable}}"
    files = [it for it in DEPLOY.rglob("*") if fnmatch.fnmatch(it.name, "*.y*ml")]
    passes(sys.executable, "-m", "yamllint", "--strict", "--config-data", rules, *files)


CHECKS = [image, cluster, database, pods, unit, watching, sharding, supply, yaml_files]

if __name__ == "__main__":
    {it.__name__: it for it in CHECKS}[sys.argv[1]]()
