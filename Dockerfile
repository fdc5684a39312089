# Without a mount it serves the shipped fixtures; with mock.yaml or scenarios/ in /config it serves those.
# Off loopback the admin API needs a token: set VEHICLE_OCR_MOCK_ADMIN_TOKEN, or read the generated one from the log.
# podman drops the health check unless you build with `podman build --format docker`.
ARG BASE=python:3.13-slim

FROM ${BASE} AS dependencies
WORKDIR /src
COPY pyproject.toml constraints.txt ./
# The names are all that pip needs of the package itself, so only a change of these two files installs them again.
RUN mkdir mock_server fixtures && touch README.md LICENSE mock_server/__init__.py \
    && echo '__version__ = "0"' > mock_server/version.py \
    && python -m venv /opt/venv \
    && /opt/venv/bin/pip install --no-cache-dir --constraint constraints.txt '.[heif,redis]' \
    && /opt/venv/bin/pip uninstall --yes vehicle-ocr-mock \
    && echo /opt/app > "$(echo /opt/venv/lib/python3*/site-packages)/app.pth"

FROM dependencies AS code
COPY README.md LICENSE ./
COPY mock_server mock_server
COPY fixtures fixtures
# The first start makes the index of the shipped pictures, which any user of the image can then read.
RUN /opt/venv/bin/pip install --no-cache-dir --no-deps --constraint constraints.txt --target /opt/app . \
    && cd / && XDG_CACHE_HOME=/tmp/cache /opt/venv/bin/python -c \
        'from mock_server import MockServer; MockServer().start().stop()' \
    && mv /tmp/cache/vehicle-ocr-mock /opt/app/mock_server/_cache \
    && chmod -R u=rwX,go=rX /opt/app/mock_server/_cache

# Without what is needed to install but not to run: 80 MB. The mock uses Faker for identifiers, which have no locale.
FROM dependencies AS slim
RUN cd /opt/venv/lib/python3*/site-packages \
    && rm -rf numpy/tests numpy/*/tests numpy/f2py numpy/distutils \
    && find faker/providers -type d -name '*_??' ! -name en_US -prune -exec rm -rf {} + \
    && find . -type f -name '*.pyi' -delete \
    && /opt/venv/bin/pip uninstall --yes --quiet setuptools pip
# Symbols for debuggers are 20 MB. In packages with a directory NAME.libs they stay: strip breaks what auditwheel changed.
RUN cd /opt/venv/lib/python3*/site-packages \
    && if apt-get update -qq && apt-get install -qq --yes --no-install-recommends binutils >/dev/null; then \
        find . -name '*.so' ! -path './*.libs/*' ! -path './numpy/*' ! -path './PIL/*' ! -name '_pillow_heif*' \
            -exec strip --strip-unneeded {} +; \
    else echo "binutils cannot be installed here, so the image is larger"; fi \
    && /opt/venv/bin/python -c 'import hiredis, httptools, numpy, orjson, pillow_heif, pybase64, pydantic, uvloop, xxhash, yaml' \
    && /opt/venv/bin/python -c 'import PIL._imaging, cryptography.hazmat.bindings._rust, wrapt._wrappers, yaml._yaml'

FROM ${BASE}
LABEL org.opencontainers.image.title="vehicle-ocr-mock" \
    org.opencontainers.image.description="A local server that answers as the VehiCore and CarsXE recognition APIs do" \
    org.opencontainers.image.licenses="MIT"
# OpenShift runs a container with a random uid in group 0, so that group may write to /ca and the home directory.
# There is no /config: if it exists, it is a mount.
RUN useradd --create-home --uid 10001 --gid 0 mock && mkdir /ca && chown mock:0 /ca \
    && chmod g=u /ca /home/mock
COPY --from=slim /opt/venv /opt/venv
COPY --from=code /opt/app /opt/app
COPY scripts/container /usr/local/bin/container
ENV PATH=/opt/app/bin:/opt/venv/bin:$PATH \
    HOME=/home/mock \
    PYTHONUNBUFFERED=1 \
    VEHICLE_OCR_MOCK_HOST=0.0.0.0
# A number, because Kubernetes cannot verify a name under runAsNonRoot.
USER 10001
WORKDIR /home/mock
EXPOSE 8080 8443
HEALTHCHECK --interval=10s --timeout=4s --start-period=20s --retries=3 \
    CMD ["sh", "/usr/local/bin/container", "healthcheck"]
# Process 1 ignores SIGTERM until it has a handler. A blocked signal waits until then.
ENTRYPOINT ["env", "--block-signal=TERM", "sh", "/usr/local/bin/container"]
CMD ["serve"]
