# docker build -t forensics . && docker run --rm -v "$PWD:/data" forensics compare a.jsonl b.jsonl
# PyTorch without CUDA: the image is some gigabytes smaller, and a comparison of texts needs no GPU.
FROM python:3.12-slim AS build
WORKDIR /source
COPY . .
RUN python -m venv /opt/forensics \
    && /opt/forensics/bin/pip install --no-cache-dir --constraint constraints.txt \
        --index-url https://download.pytorch.org/whl/cpu torch \
    && /opt/forensics/bin/pip install --no-cache-dir --constraint constraints.txt .

FROM python:3.12-slim
RUN useradd --create-home --uid 10001 forensics \
    && install --directory --owner=forensics --group=forensics /data
COPY --from=build /opt/forensics /opt/forensics
ENV PATH=/opt/forensics/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1
USER 10001
WORKDIR /data
ENTRYPOINT ["forensics"]
CMD ["--help"]
