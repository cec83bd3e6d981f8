#!/usr/bin/env bash
# Everything that needs a GPU, in one command, which takes five minutes on an
# H100:
#   bash tools/benchmark/gpu.sh OUT [--quick]
# 1. the tests marked `gpu`;
# 2. tools/benchmark.py gpu, with its numbers in OUT/gpu.json;
# 3. an epoch of the toy OAA, OAA+ and DeepLab each, with --amp;
# 4. a training that is killed and resumed.
# A step that fails does not stop the others; its output is OUT/STEP.txt, and
# the exit status is 1 in the end. --quick makes everything tiny and runs
# without a GPU, to see that no step is broken.
#
# PYTHON is a Python that has the requirements and a torch that sees the GPU
# (default: python3).
set -uo pipefail
out=$(realpath -m "${1:?usage: $0 OUT [--quick]}")
quick=${2:-}
root=$(realpath "$(dirname "$0")/../..")
python=$(command -v "${PYTHON:-python3}") ||
  { echo "there is no ${PYTHON:-python3}; set PYTHON to a Python" >&2; exit 1; }
PYTHON=$(realpath -s "$python") # which is used from another folder
mkdir -p "$out"
cd "$out" || exit 1
export PYTHONPATH=$root${PYTHONPATH:+:$PYTHONPATH} PYTHONUNBUFFERED=1
failed=0

step() { # NAME COMMAND...
  local name=$1 start=$SECONDS verdict=passed
  shift
  "$@" >"$name.txt" 2>&1 || { verdict=FAILED; failed=1; }
  echo "$name $verdict in $((SECONDS - start)) s: $(tail -n 1 "$name.txt")"
  [ $verdict = passed ]
}

tool() { # TOOL OPTION...: a command of the package, at most four minutes
  timeout 240 "$PYTHON" "$root/tools/$1" "${@:2}"
}

train() { # CONFIG WORK_DIR SETTING...: the settings follow train.py's options
  tool train.py "$root/configs/toy/$1" --amp --work-dir "$2" "${@:3}"
}

tests() { # where there is no GPU, all are skipped
  (cd "$root" && timeout 240 "$PYTHON" -m pytest -q -m gpu -rs tests \
    -p no:cacheprovider)
}

killed_and_resumed() {
  local settings=(--cfg-options train_cfg.max_epochs=3
    train_cfg.val_interval=9 custom_hooks.0.start_epoch=1)
  rm -rf killed
  "$PYTHON" "$root/tools/train.py" "$root/configs/toy/oaa_r18_toy.py" --amp \
    --work-dir killed "${settings[@]}" &
  local pid=$!
  until [ -e killed/epoch_1.pth ]; do
    kill -0 $pid || return 1
    sleep 0.1
  done
  kill -KILL $pid
  wait $pid
  [ ! -e killed/epoch_3.pth ] || return 1 # killed too late
  train oaa_r18_toy.py killed --resume "${settings[@]}" &&
    [ -e killed/attention_epoch_3.safetensors ] &&
    grep -h "resumed epoch" killed/*/*.log
}

few=(--num-train 300 --num-val 60) iters=37
[ -n "$quick" ] && few=(--num-train 24 --num-val 4) iters=3
once=(train_cfg.max_epochs=1 train_cfg.val_interval=1)
step tests tests
step benchmark tool benchmark.py gpu $quick --repeats 3 --json gpu.json
[ -d data/toy ] || step data tool make_toy_voc.py data/toy "${few[@]}"
step oaa train oaa_r18_toy.py oaa --cfg-options "${once[@]}" \
  custom_hooks.0.start_epoch=0
store=oaa/attention_epoch_1.safetensors
step oaa_plus train oaa_plus_r18_toy.py oaa_plus --cfg-options "${once[@]}" \
  train_dataloader.dataset.pipeline.0.store=$store
step labels tool make_pseudo_labels.py $store --out labels --background power \
  --overwrite
step deeplab train deeplabv3plus_r18_toy.py deeplab --cfg-options \
  train_cfg.max_iters=$iters train_cfg.val_interval=$iters \
  default_hooks.checkpoint.interval=$iters \
  train_dataloader.dataset.pseudo_labels=labels
step killed_and_resumed killed_and_resumed
exit $failed
