#!/usr/bin/env bash
# The measurements that need a GPU, in one call of less than ten minutes:
#   bash tools/benchmark_gpu.sh OUT
# torch, CUDA and the packages of requirements/lock.txt have to be there. Writes
# OUT/*.json and, where the small real data set is, trains OAA with ResNet-50.
set -euo pipefail
out=$(realpath -m "${1:?usage: $0 OUT}")
python=${PYTHON:-python}
cd "$(dirname "$0")/.."
mkdir -p "$out"
for network in vgg16 resnet50; do
  for batch in 5 32; do
    for amp in '' --amp; do
      "$python" tools/benchmark.py hook --network "$network" \
        --batch-size "$batch" --repeats 3 $amp \
        --json "$out/hook_${network}_$batch$amp.json"
    done
    "$python" tools/benchmark.py batches --network "$network" \
      --batch-size "$batch" --repeats 3 \
      --json "$out/batches_${network}_$batch.json"
  done
done
"$python" tools/benchmark.py authors --json "$out/authors.json"
"$python" tools/benchmark.py store --json "$out/store.json"
if [ -d ../shared/data/voc_mini ]; then
  "$python" tools/train.py configs/voc_mini/oaa_r50.py \
    --work-dir "$out/oaa_r50"
  "$python" tools/test.py configs/voc_mini/oaa_r50.py \
    "$out/oaa_r50/epoch_10.pth" --work-dir "$out/oaa_r50"
fi
