# syntax=docker/dockerfile:1
# Two images of one binary. The last stage, the default, holds nothing but the program, the libraries that it loads and
# the certificate authorities; `--target shell` is for CI servers that need a shell in the image.

FROM rust:1-slim-bookworm AS build
WORKDIR /src
COPY . .
# The newest fixes of the distribution are wanted, whatever their numbers.
# hadolint ignore=DL3008
RUN apt-get update \
  && apt-get install -y --no-install-recommends ca-certificates gcc libc6-dev \
  && rm -rf /var/lib/apt/lists/*
# Beside the program, what it loads, by the paths at which it looks.
RUN cargo build --release --locked --bin oaudit \
  && bash ci/root.sh target/release/oaudit /image

FROM debian:bookworm-slim AS shell
# The newest fixes of the distribution are wanted, whatever their numbers.
# hadolint ignore=DL3008
RUN apt-get update \
  && apt-get install -y --no-install-recommends ca-certificates \
  && rm -rf /var/lib/apt/lists/* \
  && useradd --uid 65532 --create-home oaudit
COPY --from=build /src/target/release/oaudit /usr/bin/oaudit
USER 65532:65532
WORKDIR /work
ENTRYPOINT ["oaudit"]

FROM scratch
COPY --from=build /image /
ENV SSL_CERT_FILE=/etc/ssl/certs/ca-certificates.crt
USER 65532:65532
WORKDIR /work
ENTRYPOINT ["/usr/bin/oaudit"]
CMD ["--help"]
