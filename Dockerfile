# oaa_mm with the versions it is tested with:
#   docker build -t oaa_mm .                       (CPU)
#   docker build -t oaa_mm --build-arg TORCH_INDEX=https://download.pytorch.org/whl/cu130 .
#   docker run --rm oaa_mm                         (the demo)
FROM python:3.11-slim
ARG TORCH_INDEX=https://download.pytorch.org/whl/cpu
WORKDIR /oaa_mm
# Libraries that OpenCV loads.
RUN apt-get update && apt-get install -y --no-install-recommends \
        libgl1 libglib2.0-0 && rm -rf /var/lib/apt/lists/*
COPY requirements/lock.txt requirements/lock.txt
RUN pip install --no-cache-dir "$(grep '^torch==' requirements/lock.txt)" \
        --index-url "$TORCH_INDEX" --extra-index-url https://pypi.org/simple \
    && pip install --no-cache-dir -r requirements/lock.txt
COPY . .
RUN pip install --no-cache-dir --no-deps --no-build-isolation -e .
CMD ["python", "tools/demo.py"]
