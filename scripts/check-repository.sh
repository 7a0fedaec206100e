#!/usr/bin/env bash
# Usage: scripts/check-repository.sh
# Runs the part of Dockerfile.streamlit that reads the app's repository, on small repositories of all kinds.
# Builds no image.
set -euo pipefail

root="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)"
"$root/scripts/apt-install.sh" git python3 python3-venv
work="$(mktemp -d /tmp/ragcheck.XXXXXX)"
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT TERM
# shellcheck source=scripts/checks.sh
source "$root/scripts/checks.sh"
sed -n 's/^#| \{0,1\}//p' "$root/Dockerfile.streamlit" >"$work/repository.py"
python3 -m venv "$work/venv"   # as in the build: the check of a lock needs pip
PATH="$work/venv/bin:$PATH"
this="$(python3 -c 'import sys; print(*sys.version_info[:2], sep=".")')"

repository="$work/repository"
start() { rm -rf "$repository"; mkdir "$repository"; } # start: an empty repository
write() { # write FILE LINE…
  mkdir -p "$repository/$(dirname "$1")"
  printf '%s\n' "${@:2}" >"$repository/$1"
}
app() { write "$1" 'import streamlit as st' "${@:2}"; } # app FILE [LINE…]
commit() { # everything, also what .gitignore names
  git -C "$repository" -c init.defaultBranch=main init --quiet
  git -C "$repository" add --force .
}
plan() { # plan [NAME=VALUE…]: prints what the build says
  rm -rf "$work/plan"
  env "$@" python3 "$work/repository.py" plan "$repository" "$work/plan" 2>&1
}
says() { contains "$(plan "${@:2}")" "$1"; } # says TEXT [NAME=VALUE…]
refuses() { # refuses TEXT [NAME=VALUE…]
  local output
  if output="$(plan "${@:2}")"; then echo "It was accepted:"; echo "$output"; return 1; fi
  contains "$output" "$1"
}
files() { (cd "$work/plan/image" && find . -type f | sort | tr '\n' ' '); }
packages() { tr '\n' ' ' <"$work/plan/requirements/packages.txt"; }
lock() { # lock: turns the plan into what pip installs
  rm -rf "$work/lock" && mkdir "$work/lock" && python3 "$work/repository.py" lock "$work/plan/requirements" "$work/none" "$work/lock" 2>&1
}
locks() { lock >/dev/null && equal "$(tr '\n' ' ' <"$work/lock/torch.txt")|$(tr '\n' ' ' <"$work/lock/packages.txt")" "$1"; }
hash=--hash=sha256:0123456789012345678901234567890123456789012345678901234567890123

# --- The entry file.
start
app app.py
write requirements.txt streamlit
check "an app.py with a requirements.txt is enough" says "Entry file    app.py (the only one that imports Streamlit)"
check "  and the image has just these" equal "$(files)" './code/app.py ./files/requirements.txt '
app main.py
check "of two candidates, it chooses none" refuses "several files could be the entry: app.py, main.py. Choose one with the build argument ENTRY"
check "  ENTRY decides" says "main.py (ENTRY)" ENTRY=main.py
check "  also with a Windows path" says "main.py (ENTRY)" 'ENTRY=.\main.py'
check "  and must exist" refuses "ENTRY is x.py, which is not among the image's files." ENTRY=x.py
app streamlit_app.py
check "Streamlit's own default name wins" says "streamlit_app.py (Streamlit's default name)"
write Dockerfile 'FROM python:3.11' 'ENTRYPOINT ["streamlit", "run", "main.py", "--server.port=8080"]'
check "what the repository's Dockerfile starts wins" says "main.py (named in Dockerfile)"
write Dockerfile 'FROM python:3.11' 'CMD streamlit run --server.port 8080 ./main.py'
check "  in shell form, too" says "main.py (named in Dockerfile)"
write Dockerfile 'FROM python:3.11' 'CMD ["sh", "start.sh"]'
write start.sh 'streamlit run app.py'
check "  or a script" says "app.py (named in start.sh)"
start
app src/dashboard/Home.py 'st.set_page_config()'
app src/dashboard/charts.py
app src/dashboard/pages/1_Detail.py 'st.set_page_config()'
app tests/test_app.py 'st.set_page_config()'
check "deeper in the tree, it is the one that configures the page" says "src/dashboard/Home.py (the only one"
start
write server.py 'import gradio'
check "an app that isn't Streamlit's is refused" refuses "no Python file of this repository imports Streamlit. If the app is made with something else"

# --- The files of the image.
start
app app.py
write requirements.txt streamlit
write .env OPENAI_API_KEY=not-a-key
write .streamlit/secrets.toml 'OPENAI_API_KEY = "not-a-key"'
write .streamlit/config.toml '[server]' 'baseUrlPath = "rag"'
write venv/lib/x.py x
write notes.txt private
write data/model.bin data
printf '%s\r\n' 'venv/' 'notes.txt' .env >"$repository/.gitignore"
check "without git's index, it takes what .gitignore doesn't name" says "Base path     /rag: set listen.basePath to it"
check "  never an .env or secrets.toml" equal "$(files)" './code/app.py ./files/.streamlit/config.toml ./files/data/model.bin ./files/requirements.txt '
commit
write new.py 'x = 1'
check "a committed .env is named" says "WARNING: Never in the image: .env, .streamlit/secrets.toml. It is committed: anyone who reads the repository has it"
check "  and what isn't committed, too" says "Untracked     not in the image until 'git add': new.py"
check "  the image has what is committed" equal "$(files)" \
  './code/app.py ./code/venv/lib/x.py ./files/.streamlit/config.toml ./files/data/model.bin ./files/notes.txt ./files/requirements.txt '
git -C "$repository" rm --quiet --cached -r venv notes.txt
write .dockerignore 'data' '**/*.md'
check ".dockerignore leaves out what is committed" says "Left out      by .dockerignore: data/ (1 files)"
check "APP_FILES wins over both" says "Files         2" 'APP_FILES=app.py data\model.bin'
check "  and must exist" refuses "APP_FILES names x, which the repository doesn't have." APP_FILES=x
check "  but brings no secret in" says "WARNING: Never in the image: .env" 'APP_FILES=app.py .env'

# --- The requirements.
start
app app/main.py
check "without requirements, Streamlit is installed" says "WARNING: The repository doesn't list streamlit, so the newest one is installed."
write app/requirements.txt pandas streamlit
check "they may lie next to the entry file" says "app/requirements.txt (2 packages, no lock)"
check "  and there is a warning that they are no lock" says "WARNING: There is no lock: app/requirements.txt allows other versions at each build."
printf '%s\r\n' '# comment' '-i https://wrong.example' '--extra-index-url=https://wrong.example' 'streamlit # the page' \
  "requests[socks] \\" '  >=2' '-r more\base.txt' '-c limits.txt' '-e .' >"$repository/requirements.txt"
mkdir "$repository/more"
printf '%s\r\n' 'pandas>=2' '-r base.txt' >"$repository/more/base.txt"
printf '%s\r\n' 'numpy<3' >"$repository/limits.txt"
check "Windows line ends, included files and options" says "requirements.txt (3 packages, no lock)"
check "  give what pip gets" equal "$(packages)$(cat "$work/plan/requirements/constraints.txt")" 'streamlit requests[socks] >=2 pandas>=2 numpy<3'
write requirements.txt streamlit '-r missing.txt'
check "a missing include is refused" refuses "includes missing.txt, which the repository doesn't have."
write requirements.txt streamlit 'numpy @ file:///C:/Users/me/numpy.whl'
check "a file of somebody's computer is refused" refuses "requirements.txt has 'numpy @ file:///C:/Users/me/numpy.whl', a file of somebody's computer."
rm "$repository/requirements.txt" "$repository/app/requirements.txt"
write pyproject.toml '[project]' 'requires-python = ">=3.99"' 'dependencies = ["streamlit>=1.30", "pandas"]'
check "pyproject.toml is read" says "pyproject.toml (2 packages, no lock)"
asks="WARNING: The repository asks for Python 3.99 (pyproject.toml: requires-python >=3.99), but this build has $this."
check "  and the Python that it asks for" says "$asks Use --build-arg PYTHON_VERSION=3.99."
write .python-version 3.12.4
check "  .python-version decides" says "asks for Python 3.12 (.python-version)"
write pyproject.toml '[tool.poetry.dependencies]' 'streamlit = "^1.30"'
check "what pip can't read is refused with what to do" refuses "With Poetry: poetry export --output requirements.lock"
for tool in uv poetry pdm; do
  write "$tool.lock" x
  check "  also $tool's own lock" refuses "$tool.lock can't be installed by pip. Export it, and commit the result: $tool export"
  rm "$repository/$tool.lock"
done
write pyproject.toml '[project'
check "broken TOML is refused" refuses "pyproject.toml is not valid TOML"

# --- Locks.
start
app app.py
write requirements.txt 'streamlit>=1.30' 'torch==2.6.0' 'colorama ; sys_platform == "win32"'
write requirements.lock "streamlit==1.50.0 $hash" "torch==2.6.0 \\" "    $hash \\" "    $hash" "nvidia-cublas-cu12==12.4 $hash" "triton==3.2.0 $hash"
check "a lock wins over requirements.txt" says "requirements.lock (4 packages, a lock)"
check "  torch stays the CPU build, without CUDA's packages and hashes" locks "torch==2.6.0 |streamlit==1.50.0 $hash "
write requirements.lock "streamlit==1.50.0 $hash" "torch==2.6.0+cpu $hash"
plan >"$work/output"
check "  a lock of the CPU build keeps its hash" locks "torch==2.6.0+cpu $hash |streamlit==1.50.0 $hash "
write requirements.lock "streamlit==1.20.0 $hash" "torch==2.6.0 $hash"
plan >"$work/output"
check "a lock with another version than requirements.txt is refused" contains "$(lock || true)" \
  "requirements.txt says streamlit>=1.30, but the lock has streamlit 1.20.0. Export the lock again."
write requirements.lock "streamlit==1.50.0 $hash"
plan >"$work/output"
check "  and one without a package of it" contains "$(lock || true)" "requirements.txt lists torch, which the lock doesn't have."
write requirements.lock "pandas==2.2 $hash"
check "  and one without Streamlit" refuses "requirements.lock doesn't have streamlit. Export the lock again."
write requirements.lock "streamlit==1.50.0 $hash" "torch==2.6.0+cpu $hash" "own @ git+https://git.example/own@0123abc"
check "a lock may have a package of a git repository" says "requirements.lock (3 packages, a lock)"
check "  which pip gets without hashes, in a file of its own" equal "$(lock >/dev/null; cat "$work/lock/direct.txt")" \
  'own @ git+https://git.example/own@0123abc'
rm "$repository/requirements.lock"
write pylock.toml 'lock-version = "1.0"' '[[packages]]' 'name = "streamlit"' 'version = "1.50.0"' \
  '[[packages.wheels]]' 'url = "https://example.org/a.whl"' "hashes = { sha256 = \"${hash#*:}\" }" \
  '[[packages]]' 'name = "torch"' 'version = "2.6.0"' '[packages.sdist]' "hashes = { sha256 = \"${hash#*:}\" }"
check "pylock.toml is a lock" says "pylock.toml (2 packages, a lock)"
check "  with its hashes" locks "torch==2.6.0 |streamlit==1.50.0 $hash "

finish_checks
